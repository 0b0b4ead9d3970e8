import { containerEndpoints } from '@fairlead/protocol';
import { attachContainer } from '../../core/container/attach.ts';
import type { ContainerDeps } from '../../core/container/deps.ts';
import { route, type HijackReply, type Route } from '../route.ts';
import { openAttachment } from '../../core/container/replay.ts';

/** `POST /containers/{id}/attach`. Source: engine-api 6. */
export function attachRoute(
  deps: Pick<ContainerDeps, 'directory' | 'console' | 'attachments' | 'publish' | 'logs' | 'clock'>,
): Route {
  return route(containerEndpoints.attach, async (call): Promise<HijackReply> => {
    const { logs = false, stream = false, stdin = false, stdout = false, stderr = false, detachKeys } = call.query;
    const attachment = attachContainer(deps, call.param('id'), { stream, stdin, detachKeys });
    const open = openAttachment(deps, attachment, logs ? { stdout, stderr, signal: call.hangup } : undefined);
    return {
      kind: 'hijack',
      head: 'attach',
      framing: attachment.tty ? 'raw' : 'stdcopy',
      streams: { stdin: attachment.stdin, stdout: stdout && (stream || logs), stderr: stderr && (stream || logs) },
      detachKeys: attachment.tty && attachment.stdin ? attachment.detachKeys : undefined,
      onHalfClose: attachment.onHalfClose,
      open,
      ended(ending) {
        if (ending.by === 'detach-keys') deps.publish(attachment.actor.record, 'detach');
      },
    };
  });
}
