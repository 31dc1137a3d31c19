import { describe, expect, it } from 'vitest';
import { holdData } from '../../src/target/process/hold-data.js';
import { encodeText, decodeText } from '../../src/wire/text.js';

async function* texts(...parts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield encodeText(part);
}

/** The order in which messages (m) and data (d) come out, read as fast as they come. */
async function order(...messages: readonly string[]): Promise<string[]> {
  const out: string[] = [];
  const held = holdData(texts(...messages), texts('data'));
  const note = async (source: AsyncIterable<Uint8Array>): Promise<void> => {
    for await (const chunk of source) out.push(decodeText(chunk));
  };
  await Promise.all([note(held.data), note(held.messages)]);
  return out;
}

describe('holdData', () => {
  it('holds data back until the end of the description is sent, however that is cut', async () => {
    const whole = 'sendbackup: start [x]\nsendbackup: info end\n';
    for (let cut = 22; cut < whole.length; cut++) {
      const out = await order(
        whole.slice(0, cut),
        whole.slice(cut),
        'later 1\n',
        'later 2\n',
        'later 3\n',
        'later 4\n',
      );
      expect(out.slice(0, 2)).toEqual([whole.slice(0, cut), whole.slice(cut)]);
      expect(out.indexOf('data')).toBeGreaterThan(1);
      expect(out.indexOf('data')).toBeLessThan(6);
    }
  });

  it('is not misled by a similar text', async () => {
    const out = await order(
      'sendbackup: info ended\n',
      'sendbackup: info end',
      'sendbackup: info BACKUP=x\n',
    );
    expect(out.at(-1)).toBe('data');
  });

  it('lets the data go when the messages end', async () => {
    expect(await order('hello\n')).toEqual(['hello\n', 'data']);
    expect(await order()).toEqual(['data']);
  });

  it('lets the data go when the messages break', async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield encodeText('hello\n');
      throw new Error('broken');
    }
    const held = holdData(broken(), texts('data'));
    const messages = held.messages[Symbol.asyncIterator]();
    await messages.next();
    await expect(messages.next()).rejects.toThrow('broken');
    expect(decodeText((await held.data[Symbol.asyncIterator]().next()).value as Uint8Array)).toBe(
      'data',
    );
  });
});
