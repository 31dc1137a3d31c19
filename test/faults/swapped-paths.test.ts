import { mkdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { descriptorPath, openBelowRoots } from '../../src/target/services/open-below.js';
import { sendbackupService } from '../../src/target/services/sendbackup-service.js';
import { Features } from '../../src/wire/features.js';
import { factor } from '../fuzz/runs.js';
import { startRacer, whyNoRacer, type Racer } from '../support/racer.js';
import { describeUnless } from '../support/skips.js';
import { ask, contents, folder, text } from '../target/scripts.js';

/** Dumps, and swaps at least, of a test; in `npm run faults`, and in `npm test`. */
const [DUMPS, DUMP_SWAPS] = factor > 1 ? [1_000, 100_000] : [30, 10_000];
/** The same for openings without a dump. */
const [OPENS, OPEN_SWAPS] = factor > 1 ? [100_000, 1_000_000] : [1_000, 100_000];

/** What a dump brought. */
interface Dumped {
  readonly index: string;
  readonly data: string;
}

/** Undefined when it was refused. */
function dump(
  service: ReturnType<typeof sendbackupService>,
  directory: string,
  list?: string,
): Promise<Dumped | undefined> {
  const exclude = list === undefined ? '' : `<exclude><list>${list}</list></exclude>`;
  const asked = {
    service: 'sendbackup',
    options: { features: Features.amanda351 },
    body: `<dle><program>GNUTAR</program><disk>${directory}</disk><level>0</level><record>NO</record><index>YES</index>${exclude}</dle>\n`,
  };
  return ask(service, asked, async ({ text: said, streams }) => {
    const { DATA, MESG, INDEX, STATE } = streams;
    if (DATA === undefined) {
      expect(said).toMatch(/^ERROR \[sendbackup: /);
      return undefined;
    }
    const [index, data] = await Promise.all([text(INDEX), contents(DATA), text(MESG), text(STATE)]);
    return { index, data: data.toString('latin1') };
  });
}

describeUnless(whyNoRacer(), 'while another process swaps a folder and a link', () => {
  let root: string;
  let racer: Racer;

  /** `data` is at each time either a folder of the root or a link that leads out of it. */
  beforeEach(async () => {
    root = await folder();
    const outside = await folder();
    const path = (...parts: string[]) => join(root, ...parts);
    for (const [place, content] of [
      [path('data'), 'inside'],
      [outside, 'outside'],
    ] as const) {
      await mkdir(join(place, 'deep'), { recursive: true });
      await writeFile(join(place, content), content);
      await writeFile(join(place, 'deep', content), content);
      await writeFile(join(place, 'deep', 'same'), `from ${content}`);
      await writeFile(join(place, 'list'), `./${content}\n`);
    }
    await mkdir(path('still'));
    for (const name of ['inside', 'outside', 'other']) await writeFile(path('still', name), 'x');
    await symlink(outside, path('link'));
    racer = await startRacer([path('data'), path('link')]);
  });
  afterEach(async () => {
    await racer.stop();
    await rm(root, { recursive: true });
  });

  /** Goes on until there are enough rounds and swaps; says how many there were. */
  async function race(
    rounds: number,
    swaps: number,
    round: () => Promise<string>,
  ): Promise<Map<string, number>> {
    const outcomes = new Map<string, number>();
    const before = racer.swaps();
    let made = 0;
    for (; made < rounds || racer.swaps() - before < swaps; made += 1) {
      const outcome = await round();
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
    console.log(`${racer.swaps() - before} swaps, ${made} rounds:`, Object.fromEntries(outcomes));
    return outcomes;
  }

  const timeout = 60_000 + 200 * DUMPS;

  it.each(['data', 'data/deep'])(
    'a dump of %s has what is below the root alone',
    { timeout },
    async (name) => {
      const service = sendbackupService({ roots: [root] });
      const outcomes = await race(DUMPS, DUMP_SWAPS, async () => {
        const dumped = await dump(service, join(root, name));
        if (dumped === undefined) return 'refused';
        return dumped.index.includes('/outside') || dumped.data.includes('outside')
          ? 'leaked'
          : 'inside';
      });
      expect([...outcomes.keys()].sort()).toEqual(['inside', 'refused']);
    },
  );

  it('a dump of what holds the folder has what is below the root alone', { timeout }, async () => {
    const service = sendbackupService({ roots: [root] });
    const outcomes = await race(DUMPS, DUMP_SWAPS, async () => {
      const dumped = await dump(service, root);
      if (dumped === undefined) return 'refused';
      return dumped.data.includes('from outside') ? 'leaked' : 'inside';
    });
    expect([...outcomes.keys()]).toEqual(['inside']);
  });

  it('an exclude list is read below the root alone', { timeout }, async () => {
    const service = sendbackupService({ roots: [root] });
    const outcomes = await race(DUMPS, DUMP_SWAPS, async () => {
      const dumped = await dump(service, join(root, 'still'), join(root, 'data', 'list'));
      if (dumped === undefined) return 'refused';
      return dumped.index.includes('/outside\n') ? 'inside' : 'leaked';
    });
    expect([...outcomes.keys()].sort()).toEqual(['inside', 'refused']);
  });

  it('an opened directory is below the root', { timeout }, async () => {
    const outcomes = await race(OPENS, OPEN_SWAPS, async () => {
      const opened = await openBelowRoots([root], join(root, 'data', 'deep'), 'directory').catch(
        () => undefined,
      );
      if (opened === undefined) return 'refused';
      try {
        // The descriptor leads to the folder, whatever its path is by now.
        const file = join(descriptorPath(opened.fd), 'outside');
        return (await stat(file).catch(() => undefined)) === undefined ? 'inside' : 'leaked';
      } finally {
        await opened.close();
      }
    });
    expect([...outcomes.keys()].sort()).toEqual(['inside', 'refused']);
  });
});
