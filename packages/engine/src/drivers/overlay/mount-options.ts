/** A page, with its last byte for the end of the string. Source: mount(2). */
export const MOUNT_OPTIONS_BYTES_MAX = 4095;

/** Of an image; one more lies on them. Source: OVL_MAX_STACK is 500 in fs/overlayfs; Docker's own limit is 127 layers in an image. */
export const LAYERS_MAX = 127;

export interface OverlayStack {
  /** Absolute path of the directory that holds the layers. */
  readonly layers: string;
  /** Directories within `layers`, the topmost first; at least one. */
  readonly lower: readonly string[];
  readonly upper: string;
  readonly work: string;
  /** Options that the kernel was seen to accept, e.g. `index=off`. */
  readonly features: readonly string[];
}

/** Options with absolute lower directories, for mount(2) from any working directory. */
export function absoluteOptions(stack: OverlayStack): string {
  return options(
    stack,
    stack.lower.map((directory) => `${stack.layers}/${directory}`),
  );
}

/** Options with lower directories relative to `layers`: some 12 bytes each, so 128 fit under any root. */
export function relativeOptions(stack: OverlayStack): string {
  return options(stack, stack.lower);
}

/** Whether mount(2) takes options of this length. */
export function fitsIntoPage(text: string): boolean {
  return Buffer.byteLength(text) <= MOUNT_OPTIONS_BYTES_MAX;
}

function options(stack: OverlayStack, lower: readonly string[]): string {
  const parts = [
    `lowerdir=${lower.map(escapeLower).join(':')}`,
    `upperdir=${escape(stack.upper)}`,
    `workdir=${escape(stack.work)}`,
  ];
  return [...parts, ...stack.features].join(',');
}

/** Source: ovl_parse_opt and ovl_split_lowerdirs, fs/overlayfs: a backslash keeps a comma or a colon. */
function escape(path: string): string {
  return path.replaceAll(/[\\,]/g, String.raw`\$&`);
}

function escapeLower(path: string): string {
  return path.replaceAll(/[\\,:]/g, String.raw`\$&`);
}
