import { build, type BuildResult } from 'esbuild';
import { chromium } from 'playwright-core';
import { describe, expect, it, onTestFinished } from 'vitest';
import { describeUnless, missingPrograms } from '../support/skips.js';
import { inProgramFolder } from './packed.js';

/** Debian's. */
const browserProgram = '/usr/bin/chromium';

/** A page that frames a request and its answer, and draws what it reads in the bytes. */
const page = `
  import { decodePacket, encodeFrame, encodePacket, isAmandaError, packet } from 'rx-amanda/wire';
  import { ConversationBytes, Recording, condense, toSvg, toText } from 'rx-amanda/diagram';

  const recording = new Recording({ title: 'A noop in a browser' });
  const conversation = new ConversationBytes({
    name: 'connection',
    change: (change) => recording.next(change),
  });
  const say = (at, sender, type, text) =>
    conversation.bytes(at, sender, encodeFrame({ handle: 1, payload: encodePacket(packet(type, text)) }));
  say(0, 'initiator', 'REQ', 'SERVICE noop\\nOPTIONS ;\\n');
  say(1, 'target', 'ACK', '');
  say(2, 'target', 'REP', 'OPTIONS features=ff;\\n');
  say(3, 'initiator', 'ACK', '');
  conversation.end(4);
  const diagram = condense(recording.diagram());
  document.body.innerHTML = toSvg(diagram);
  document.title = toText(diagram).split('\\n')[0];
  try {
    decodePacket(new Uint8Array(0));
  } catch (error) {
    document.body.dataset.refused = String(isAmandaError(error));
  }
`;

const inFolder = inProgramFolder('rxjs');

/** Bundles a module for a browser. What a browser lacks is an error: nothing stands in for it. */
function bundle(contents: string): Promise<BuildResult<{ write: false }>> {
  return build({
    stdin: { contents, resolveDir: inFolder('.') },
    bundle: true,
    platform: 'browser',
    format: 'esm',
    write: false,
    logLevel: 'silent',
  });
}

describe('a bundle for a browser', () => {
  it.each(['rx-amanda/wire', 'rx-amanda/diagram'])('can be made of %s', async (entry) => {
    const { warnings, outputFiles } = await bundle(`export * from '${entry}';`);
    expect(warnings).toEqual([]);
    const text = outputFiles[0]?.text ?? '';
    expect(text.includes('AmandaError')).toBe(true);
    expect(text.match(/\b(?:Buffer\b|process\.|require\(|setImmediate)/g) ?? []).toEqual([]);
  });

  it('cannot be made of rx-amanda, which connects through Node', async () => {
    await expect(bundle(`export * from 'rx-amanda';`)).rejects.toThrow(/"node:/);
  });
});

describeUnless(missingPrograms(browserProgram), 'a page with such a bundle', () => {
  it('draws an SVG of a conversation', async () => {
    const { outputFiles } = await bundle(page);
    const browser = await chromium.launch({
      executablePath: browserProgram,
      args: ['--no-sandbox'],
    });
    onTestFinished(() => browser.close());
    const tab = await browser.newPage();
    const troubles: string[] = [];
    tab.on('pageerror', ({ message }) => troubles.push(message));
    tab.on('console', (message) => troubles.push(message.text()));
    await tab.setContent('<!doctype html><body></body>');
    await tab.addScriptTag({ content: outputFiles[0]?.text ?? '', type: 'module' });
    const svg = tab.locator('svg');
    await svg.waitFor();
    expect(troubles).toEqual([]);
    expect((await svg.boundingBox())?.width).toBeGreaterThan(200);
    expect(await svg.textContent()).toMatch(/A noop in a browser.*noop/s);
    expect(await tab.title()).toContain('A noop in a browser');
    expect(await tab.locator('body').getAttribute('data-refused')).toBe('true');
  });
});
