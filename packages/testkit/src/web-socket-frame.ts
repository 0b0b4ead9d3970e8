import { randomBytes } from 'node:crypto';

/** One frame as a client sends it; `mask` four bytes, or none to break the protocol. */
export function webSocketClientFrame(
  opcode: number,
  payload: Uint8Array | string,
  options: { readonly last?: boolean; readonly mask?: Uint8Array | undefined } = {},
): Buffer {
  const bytes = Buffer.from(payload);
  const { last = true } = options;
  const mask = 'mask' in options ? options.mask : randomBytes(4);
  const first = (last ? 0x80 : 0) | opcode;
  const bit = mask === undefined ? 0 : 0x80;
  const head =
    bytes.length <= 125
      ? Buffer.from([first, bit | bytes.length])
      : bytes.length <= 0xffff
        ? Buffer.from([first, bit | 126, bytes.length >> 8, bytes.length & 0xff])
        : Buffer.concat([Buffer.from([first, bit | 127]), uint64(bytes.length)]);
  const masked = mask === undefined ? bytes : bytes.map((byte, at) => byte ^ (mask[at % 4] ?? 0));
  return Buffer.concat([head, mask ?? Buffer.alloc(0), masked]);
}

function uint64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}
