import { describe, expect, it } from 'vitest';
import { iterate } from '../../src/operators/iterate.js';
import type { Pullable, PullEnd } from '../../src/operators/pull.js';
import { holdOutput } from '../../src/target/process/hold-output.js';
import { encodeText, decodeText } from '../../src/wire/text.js';

/** Gives the texts, then the end; notes when reading begins. */
function texts(
  parts: readonly string[],
  end: PullEnd = {},
  begun: () => void = () => undefined,
): Pullable<Uint8Array> {
  return {
    pull: () => {
      begun();
      const left = parts.map(encodeText);
      return {
        get end() {
          return left.length === 0 ? end : undefined;
        },
        take: () => left.shift(),
        release: () => undefined,
        cancel: () => undefined,
      };
    },
  };
}

/** The messages before the first data, and whether the data came at all. */
async function beforeData(
  messages: readonly string[],
  end: PullEnd = {},
): Promise<readonly string[]> {
  const out: string[] = [];
  let begun: readonly string[] | undefined;
  const held = holdOutput(
    texts(messages, end),
    texts(['data'], {}, () => (begun = [...out])),
  );
  const data = iterate(held.data).next();
  const note = async (): Promise<void> => {
    for await (const chunk of iterate(held.messages)) out.push(decodeText(chunk));
  };
  await note().catch(() => undefined);
  expect(decodeText((await data).value as Uint8Array)).toBe('data');
  return begun ?? [];
}

describe('holdOutput', () => {
  it('does not read data before the end of the description is sent, however that is cut', async () => {
    const whole = 'sendbackup: start [x]\nsendbackup: info end\n';
    for (let cut = 22; cut < whole.length; cut += 1) {
      expect(await beforeData([whole.slice(0, cut), whole.slice(cut), 'later\n'])).toEqual([
        whole.slice(0, cut),
        whole.slice(cut),
      ]);
    }
  });

  it('is not misled by a similar text', async () => {
    const messages = [
      'sendbackup: info ended\n',
      'sendbackup: info end',
      'sendbackup: info BACKUP=x\n',
    ];
    expect(await beforeData(messages)).toEqual(messages);
  });

  it('lets the data go when the messages end or break', async () => {
    expect(await beforeData(['hello\n'])).toEqual(['hello\n']);
    expect(await beforeData([])).toEqual([]);
    expect(await beforeData(['hello\n'], { error: new Error('broken') })).toEqual(['hello\n']);
  });
});
