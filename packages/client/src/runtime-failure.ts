/** Podman's words for what has gone while it looked; it answers them with 500. Source: podman libpod/define/errors.go. */
const GONE = /: no such (container|pod|exec session|volume|network|image)$/;

/** A failure of the engine itself that says that the thing is not there. */
export function saysGone(status: number, message: string): boolean {
  return status === 500 && GONE.test(message);
}
