import { describe, expect, it } from 'vitest';
import { encodeFrame } from '../../src/wire/frame.js';
import {
  conversation,
  conversationNames,
  type Direction,
  directions,
} from '../support/captures.js';
import { edgeScripts, type Script, script, scripts } from '../support/edges.js';

describe('the scripts of the recorded connections', () => {
  it('are there for every connection that carries frames', () => {
    expect(
      scripts()
        .map(({ name }) => name)
        .sort(),
    ).toEqual([...conversationNames()].sort());
    expect(edgeScripts().length).toBe(59);
    expect(new Set(scripts().map(({ driver }) => driver))).toEqual(
      new Set(['bsdtcp', 'local', 'ssh']),
    );
  });

  it.each(conversationNames())('hold every byte of %s, in the order of time', (name) => {
    const recorded = script(name);
    for (const direction of directions)
      expect(
        Buffer.compare(bytesOf(recorded, direction), conversation(name).bytes[direction]),
      ).toBe(0);
    const times = recorded.script.map(({ time }) => time);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });

  it('know from where the initiator came and what the target was started for', () => {
    expect(script('edge-nak_service_not_enabled.1').services).toEqual(['amdump']);
    expect(script('edge-nak_unreserved_port.1').sourcePort).toBeGreaterThanOrEqual(1024);
    expect(script('edge-basic.1')).toMatchObject({ driver: 'bsdtcp', sourcePort: 1000 });
    expect(script('ssh-1-noop')).toMatchObject({
      driver: 'ssh',
      sourcePort: undefined,
      services: [],
    });
  });

  it('tell the ends apart', () => {
    const ends = (name: string): readonly string[] =>
      script(name)
        .script.filter(({ kind }) => kind !== 'frame')
        .map(({ kind, direction }) => `${direction} ${kind}`);
    expect(ends('edge-idle.1')).toEqual(['s2c eof']);
    expect(ends('edge-half_close.1')).toEqual(['c2s eof']);
    expect(ends('edge-first_oversize.1')).toEqual(['c2s bytes', 's2c reset', 'c2s close']);
  });
});

function bytesOf({ script: steps }: Script, direction: Direction): Buffer {
  const sent = steps.filter((step) => step.direction === direction);
  return Buffer.concat(
    sent.map((step) =>
      step.kind === 'frame'
        ? encodeFrame(step.frame)
        : step.kind === 'bytes'
          ? step.bytes
          : new Uint8Array(0),
    ),
  );
}
