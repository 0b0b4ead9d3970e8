import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { applyChanges } from './import-changes.ts';
import type { ImageRuntimeConfig } from './record.ts';

const SECOND = 1_000_000_000;

describe('applyChanges', () => {
  const cases: readonly { readonly lines: readonly string[]; readonly config: ImageRuntimeConfig }[] = [
    { lines: ['CMD ["sh","-c","x"]'], config: { Cmd: ['sh', '-c', 'x'] } },
    { lines: ['cmd echo  "a b"'], config: { Cmd: ['/bin/sh', '-c', 'echo  "a b"'] } },
    { lines: ['ENTRYPOINT []'], config: { Entrypoint: [] } },
    { lines: ['ENTRYPOINT [not json'], config: { Entrypoint: ['/bin/sh', '-c', '[not json'] } },
    { lines: ['ENV A=b C="d e" F=g\\ h'], config: { Env: ['A=b', 'C=d e', 'F=g h'] } },
    { lines: ['ENV A b  c'], config: { Env: ['A=b  c'] } },
    {
      lines: ['ENV A=1', 'ENV B=$A$A C=${A}x D=${Z:-none} E=${A:+set} F=\'$A\' G="$A" H=\\$A', 'ENV A=2'],
      config: { Env: ['A=2', 'B=11', 'C=1x', 'D=none', 'E=set', 'F=$A', 'G=1', 'H=$A'] },
    },
    {
      lines: ['EXPOSE 80 53/UDP 8000-8002'],
      config: { ExposedPorts: { '80/tcp': {}, '53/udp': {}, '8000/tcp': {}, '8001/tcp': {}, '8002/tcp': {} } },
    },
    { lines: ['LABEL a=b "c d"="e f"', 'LABEL a=c'], config: { Labels: { a: 'c', 'c d': 'e f' } } },
    { lines: ['USER me:us', 'STOPSIGNAL SIGINT'], config: { User: 'me:us', StopSignal: 'SIGINT' } },
    { lines: ['WORKDIR /a/b', 'WORKDIR ../c/./d'], config: { WorkingDir: '/a/c/d' } },
    { lines: ['VOLUME /a /b', 'VOLUME ["/c d"]'], config: { Volumes: { '/a': {}, '/b': {}, '/c d': {} } } },
    { lines: ['ONBUILD RUN make'], config: { OnBuild: ['RUN make'] } },
    { lines: ['HEALTHCHECK NONE'], config: { Healthcheck: { Test: ['NONE'] } } },
    {
      lines: [
        'HEALTHCHECK --interval=5s --timeout=1m --start-period=2s --start-interval=500ms --retries=3 CMD curl -f x',
      ],
      config: {
        Healthcheck: {
          Test: ['CMD-SHELL', 'curl -f x'],
          Interval: 5 * SECOND,
          Timeout: 60 * SECOND,
          StartPeriod: 2 * SECOND,
          StartInterval: SECOND / 2,
          Retries: 3,
        },
      },
    },
    { lines: ['HEALTHCHECK CMD ["true"]'], config: { Healthcheck: { Test: ['CMD', 'true'] } } },
    { lines: ['', '# a remark', 'USER a\nUSER b'], config: { User: 'b' } },
  ];
  for (const { lines, config } of cases) {
    it(lines.join(' ¶ ') || 'nothing', () => assert.deepEqual(applyChanges({}, lines), config));
  }

  const refused: readonly { readonly line: string; readonly message: RegExp }[] = [
    { line: 'RUN make', message: /^run is not a valid change command$/ },
    { line: 'FROM x', message: /^from is not a valid change command$/ },
    { line: 'CMD', message: /^CMD requires at least one argument$/ },
    { line: 'ENV A', message: /^ENV must have two arguments$/ },
    { line: 'ENV =b', message: /^ENV names can not be blank$/ },
    { line: 'LABEL a=b c', message: /^Syntax error - can't find = in "c"/ },
    { line: 'USER a b', message: /^USER requires exactly one argument$/ },
    { line: 'EXPOSE http', message: /^invalid containerPort: http$/ },
    { line: 'EXPOSE 70000', message: /^invalid containerPort/ },
    { line: 'EXPOSE 9-8', message: /^invalid containerPort/ },
    { line: 'VOLUME [""]', message: /^VOLUME specified can not be an empty string$/ },
    { line: 'ONBUILD ONBUILD x', message: /^Chaining ONBUILD/ },
    { line: 'ONBUILD FROM x', message: /^FROM isn't allowed as an ONBUILD trigger$/ },
    { line: 'HEALTHCHECK RUN x', message: /^Unknown type "RUN" in HEALTHCHECK/ },
    { line: 'HEALTHCHECK CMD', message: /^Missing command after HEALTHCHECK CMD$/ },
    { line: 'HEALTHCHECK --retries=x CMD y', message: /retries must be a whole number/ },
    { line: 'HEALTHCHECK --interval=1us CMD y', message: /cannot be less than 1ms/ },
    { line: 'HEALTHCHECK --interval=soon CMD y', message: /invalid duration|unknown unit/ },
  ];
  for (const { line, message } of refused) {
    it(`refuses ${line}`, () => {
      assert.throws(() => applyChanges({}, [line]), { name: 'EngineError', kind: 'invalid-argument', message });
    });
  }
});
