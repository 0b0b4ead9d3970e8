import { containerEndpoints } from '@fairlead/protocol';
import { attachContainer } from '../../core/container/attach.ts';
import type { ContainerDeps } from '../../core/container/deps.ts';
import { containerLogs } from '../../core/container/logs.ts';
import { route, type HijackReply, type Route } from '../route.ts';
import { replayThen } from '../../core/container/replay.ts';

/** `POST /containers/{id}/attach`. Source: engine-api 6. */
export function attachRoute(
  deps: Pick<ContainerDeps, 'directory' | 'console' | 'attachments' | 'publish' | 'logs' | 'files'>,
): Route {
  return route(containerEndpoints.attach, async (call): Promise<HijackReply> => {
    const { logs = false, stream = false, stdin = false, stdout = false, stderr = false, detachKeys } = call.query;
    const attachment = attachContainer(deps, call.param('id'), { stdin: stdin && stream, detachKeys });
    const past = logs ? containerLogs(deps, attachment.actor.id, { stdout, stderr, signal: call.hangup }) : undefined;
    return {
      kind: 'hijack',
      head: 'attach',
      framing: attachment.tty ? 'raw' : 'stdcopy',
      streams: { stdin: attachment.stdin, stdout: stdout && (stream || logs), stderr: stderr && (stream || logs) },
      detachKeys: attachment.tty && attachment.stdin ? attachment.detachKeys : undefined,
      onHalfClose: attachment.onHalfClose,
      open: () => replayThen(past?.records, stream ? attachment.connect() : undefined),
      ended(ending) {
        if (ending.by === 'detach-keys') deps.publish(attachment.actor.record, 'detach');
      },
    };
  });
}
