import { expect, it } from 'vitest';
import { parseXml } from '../../diagram/xml.js';
import type { FakeTap } from '../fake-tap.js';
import { ask } from '../serving.js';
import { chosenEvent, describeInBrowser } from './chromium.js';

const hostile: readonly (readonly [string, string])[] = [
  ['a script', '<script>window.__pwned = 1; alert(1)</script>'],
  ['the end of a script', '</script><script>window.__pwned = 1</script>'],
  ['an image that fails', '<img src=x onerror="window.__pwned = 1">'],
  [
    'an SVG that loads',
    '<svg onload="window.__pwned = 1"><a xlink:href="javascript:alert(1)">x</a></svg>',
  ],
  ['quotes', `"><b onmouseover='window.__pwned=1'>\`\${window.__pwned = 1}\``],
  [
    'the end of a style, of a comment, of CDATA',
    '</style>-->]]><!--<iframe srcdoc="<script>top.__pwned=1</script>">',
  ],
  ['line separators of JavaScript', '\u2028window.__pwned = 1\u2029'],
  [
    'control characters, and the end of an event',
    '\0\u0001\u001b[31m\r\n\r\ndata: [{"kind":"over"}]\n\n',
  ],
  ['text turned around', '\u202egnp.exe\u2066'],
  ['entities', '&lt;script&gt;&#x3c;img src=x onerror=window.__pwned=1&#x3e;&amp;'],
  ['half a character, and what is none', '\ud800\udfff\ufffe\uffff\u{1f4a9}\udc00'],
  ['a prototype', '__proto__'],
];

function attack(tap: FakeTap, text: string): void {
  const preview = new Uint8Array(Buffer.from(text));
  tap.open(1, { target: text, address: text });
  tap.lane(1, text);
  tap.lane(1, `${text}/${text}`, { under: text });
  tap.lane(1, `${text}/DATA`, { under: text, direction: 'in' });
  tap.event(1, `${text}/${text}`, {
    kind: 'packet',
    type: 'REQ',
    at: 1,
    bytes: preview.length,
    label: `REQ ${text.replaceAll(/\s/g, '')}`,
    preview,
    direction: 'out',
  });
  tap.event(1, `${text}/${text}`, { kind: 'error', code: text, at: 2, label: text });
  tap.event(1, `${text}/DATA`, {
    kind: 'chunk',
    bytes: preview.length,
    at: 1,
    label: text,
    preview,
  });
  tap.change(1, {
    kind: 'span',
    lane: text,
    span: { kind: 'waiting', label: text, from: 0, to: undefined },
  });
  tap.close(1, { reason: text });
}

describeInBrowser('what the peers send', ({ open }) => {
  it.each(hostile)('stays text on the page: %s', async (_, text) => {
    const { page, problems, requests, tap, url } = await open();
    await page.evaluate(
      `document.addEventListener('securitypolicyviolation', (event) => console.log('violation ' + event.violatedDirective))`,
    );
    attack(tap, text);
    await page.locator('#follow[disabled]').waitFor();
    await page.locator('#stage').focus();
    const seen: string[] = [];
    for (const key of ['Home', 'ArrowRight', 'ArrowDown', 'ArrowUp']) {
      await page.keyboard.press(key);
      seen.push((await chosenEvent(page)).text);
    }
    // The page showed the payload and the names.
    const legible = text.replace(/[^ -~]/g, '');
    expect(seen.join('').replace(/\\(x[0-9a-f]{2}|u[0-9a-f]{4})|[^ -~]/g, '')).toContain(
      legible.slice(0, 40),
    );
    expect(await page.locator('#names .name').count()).toBe(3);
    expect(await page.evaluate('window.__pwned')).toBeUndefined();
    expect(await page.locator('script, img, iframe, svg, b').count()).toBe(1);
    expect(problems).toEqual([]);
    expect(requests.filter((one) => !one.startsWith(url) && !one.startsWith('data:'))).toEqual([]);
  });

  it.each(hostile)('stays text in the picture: %s', async (_, text) => {
    const { page, tap, url, port, problems } = await open();
    attack(tap, text);
    const { body, status } = await ask(port, `${new URL(url).pathname}svg?connection=1`);
    expect(status).toBe(200);
    expect(() => parseXml(body)).not.toThrow();
    // As if a saved file were opened.
    await page.goto(`data:image/svg+xml;base64,${Buffer.from(body).toString('base64')}`);
    expect(await page.evaluate('window.__pwned')).toBeUndefined();
    expect(await page.locator('script, img, iframe, a').count()).toBe(0);
    expect(problems).toEqual([]);
  });

  it('has a policy that would refuse a script, if one got in', async () => {
    const { page, problems } = await open();
    const run = page.evaluate(
      `(() => { const script = document.createElement('div'); script.innerHTML = '<img src=x onerror="window.__pwned = 1">'; })()`,
    );
    await expect(run).rejects.toThrow(/TrustedHTML/);
    expect(await page.evaluate('window.__pwned')).toBeUndefined();
    expect(problems.join('\n')).toMatch(/TrustedHTML/);
  });
});
