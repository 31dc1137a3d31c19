import { spawnSync } from 'node:child_process';
import { encodeFrame } from '../wire/frame.js';
import { encodePacket, packet } from '../wire/packet.js';
import { printable, toBytes } from '../wire/text.js';

/** Has the program answer a noop, so that V8 compiles what every connection needs, and leave its compiled form behind. Returns a sentence for what failed. */
export function precompile(program: string): string | undefined {
  const root = process.getuid?.() === 0 ? ['-user=root'] : [];
  const noop = encodeFrame({ handle: 1, payload: encodePacket(packet('REQ', toBytes('SERVICE noop\nOPTIONS features=ff;\n'))) });
  const { status, error, stderr, stdout } = spawnSync(process.execPath, [program, '-compiling', '-auth=local', '-own', '-no-config', ...root, 'noop'], {
    input: noop,
    timeout: 60_000,
  });
  if (status === 0 && stdout.includes('OPTIONS ')) return undefined;
  return `rx-amandad: no compiled form was made: ${printable(error?.message ?? (stderr.toString().trim() || 'its noop was not answered'), 400)}`;
}
