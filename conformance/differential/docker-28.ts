import type { Answer, Step } from './step.ts';

/** One row of what changed between 20.10, which can be run here, and 28, which is what users have. */
interface Change {
  /** The message of 20.10. */
  readonly from: RegExp;
  /** With groups of `from`. */
  readonly to: string;
  /** The status of 28 where it is another one. */
  readonly status?: number;
}

/** Source: docs/engine-api.md, appendix A: messages 20.10.24 → 28.5.2. Order counts: the first that matches. */
const CHANGES: readonly Change[] = [
  {
    from: /^Cannot kill container: (.*): Container (.*) is not running$/,
    to: 'cannot kill container: $1: container $2 is not running',
  },
  { from: /^Cannot kill container: (.*): (The|No)(.*)$/, to: 'cannot kill container: $1: $2$3' },
  { from: /^(cannot kill container: .*: )The linux daemon (.*)$/, to: '$1the linux daemon $2', status: 400 },
  { from: /^Container (<.*>|.*) is not running: Exited.*$/, to: 'container $1 is not running', status: 409 },
  { from: /^Container (.*) is not running$/, to: 'container $1 is not running' },
  {
    from: /^You cannot remove a running container (.*)\. Stop.*$/,
    to: 'cannot remove container "REF": container is running: stop the container before removing or force remove',
  },
  {
    from: /^You cannot remove a paused container (.*)\. Unpause.*$/,
    to: 'cannot remove container "REF": container is paused and must be unpaused first',
  },
  { from: /^Multiple IDs found (.*)$/, to: 'multiple IDs found $1', status: 400 },
  { from: /^Invalid signal: (.*)$/, to: 'invalid signal: $1' },
  { from: /^Invalid filter (.*)$/, to: 'invalid filter $1' },
  {
    from: /^invalid character .* looking for beginning of (?:object key string|value)$/,
    to: 'invalid JSON: $&',
    status: 400,
  },
  {
    from: /^Config cannot be empty in order to create a container$/,
    to: 'config cannot be empty in order to create a container',
  },
  { from: /^No command specified$/, to: 'no command specified' },
  { from: /^Error: Exec command (.*)$/, to: 'exec command $1' },
  {
    from: /^invalid restart policy '(.*)'$/,
    to: "invalid restart policy: unknown policy '$1'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'",
  },
  {
    from: /^maximum retry count cannot be used with restart policy '.*'$/,
    to: "invalid restart policy: maximum retry count can only be used with 'on-failure'",
  },
  {
    from: /^maximum retry count cannot be negative$/,
    to: 'invalid restart policy: maximum retry count cannot be negative',
  },
  { from: /^no such image: .*?: (No such image: .*)$/, to: '$1' },
  {
    from: /^(?:no such image: .*?: )?invalid reference format: repository name must be lowercase$/,
    to: 'invalid reference format: repository name (library/REPO) must be lowercase',
  },
  { from: /^strconv\.Atoi: parsing "(.*)": invalid syntax$/, to: 'invalid resize height "$1": invalid syntax' },
  { from: /^Unknown runtime specified (.*)$/, to: 'unknown or invalid runtime name: $1' },
  { from: /^unexpected EOF$/, to: 'invalid JSON: unexpected EOF', status: 400 },
  { from: /^EOF$/, to: 'config cannot be empty in order to create a container', status: 400 },
  {
    from: /^Content-Type specified \((.*)\) must be 'application\/json'$/,
    to: "unsupported Content-Type header ($1): must be 'application/json'",
  },
];

/** What 28 would have answered where the difference is documented. */
export function inTwentyEightsWords(step: Step, answer: Answer): Answer {
  const message = messageOf(answer.body);
  if (message === undefined) return waitForm(answer);
  const ref = decodeURIComponent(/\/containers\/([^/?]+)/.exec(step.target)?.[1] ?? '');
  let words = message;
  let status = answer.status;
  for (const change of CHANGES) {
    if (!change.from.test(words)) continue;
    words = words
      .replace(change.from, change.to)
      .replace('REF', ref)
      .replace('REPO', /UPPER|Mine/.exec(step.target)?.[0] ?? '');
    status = change.status ?? status;
  }
  return { ...answer, status, body: { message: words } };
}

/** 23 and later leave an Error that is null out of a wait's answer. */
function waitForm(answer: Answer): Answer {
  const { body } = answer;
  if (typeof body !== 'object' || body === null || !('StatusCode' in body) || !('Error' in body)) return answer;
  return body.Error === null ? { ...answer, body: { StatusCode: body.StatusCode } } : answer;
}

function messageOf(body: unknown): string | undefined {
  if (typeof body !== 'object' || body === null || !('message' in body)) return undefined;
  return typeof body.message === 'string' ? body.message : undefined;
}
