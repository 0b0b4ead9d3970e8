import { containerEndpoints, versionAtLeast } from '@fairlead/protocol';
import { attachContainer } from '../../core/container/attach.ts';
import type { ContainerDeps } from '../../core/container/deps.ts';
import { openAttachment } from '../../core/container/replay.ts';
import { route, type Route, type WebSocketReply } from '../route.ts';

/** `GET /containers/{id}/attach/ws`: as attach, in messages that mix both streams. Source: engine-api 6. */
export function attachWebSocketRoute(
  deps: Pick<ContainerDeps, 'directory' | 'console' | 'attachments' | 'publish' | 'logs' | 'clock'>,
): Route {
  return route(containerEndpoints.attachWebSocket, async (call): Promise<WebSocketReply> => {
    const { logs = false, stream = false, detachKeys } = call.query;
    const {
      stdin = false,
      stdout = false,
      stderr = false,
    } = versionAtLeast(call.apiVersion, '1.42') ? call.query : ALL;
    const attachment = attachContainer(deps, call.param('id'), { stream, stdin, detachKeys });
    const open = openAttachment(deps, attachment, logs ? { stdout, stderr, signal: call.hangup } : undefined);
    return {
      kind: 'web-socket',
      messages: versionAtLeast(call.apiVersion, '1.28') ? 'binary' : 'text',
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

/** Older clients could not choose. */
const ALL = { stdin: true, stdout: true, stderr: true } as const;
