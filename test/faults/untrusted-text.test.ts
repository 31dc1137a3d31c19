import { expect, test } from 'vitest';
import { visible } from '../../src/cli/web/page/payload.js';
import { RequestLog } from '../../src/cli/rx-amandad/request-log.js';
import { toSvg } from '../../src/diagram/svg/svg.js';
import { toText } from '../../src/diagram/text/text.js';
import type { Diagram } from '../../src/diagram/model.js';
import { AmandaError } from '../../src/wire/errors.js';
import { printableJson } from '../../src/wire/text.js';

/** Controls, formats and line separators of all planes, and a half of a character. */
const hostile = Array.from({ length: 0x11_0000 }, (_, code) => String.fromCodePoint(code)).filter(
  (one) => /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(one),
);
hostile.push('\ud800', '\udfff');

function drawn(text: string): Diagram {
  return {
    title: text,
    sentence: text,
    lanes: [
      {
        name: text,
        kind: 'connection',
        from: 0,
        events: [{ kind: 'error', at: 1, label: text }],
        spans: [],
        subscriptions: [],
      },
    ],
    legend: [],
    length: 2,
  } as unknown as Diagram;
}

function logged(text: string): string {
  const lines: string[] = [];
  const log = new RequestLog((line) => lines.push(line));
  const peer = { driver: 'ssl', host: text };
  log.take({ kind: 'connected', peer });
  const request = { user: text, service: text, arguments: new Uint8Array() };
  log.take({ kind: 'refused', peer, handle: 1, reason: text, request });
  log.take({ kind: 'ended', peer, handle: 1, outcome: 'refused', sent: 0, received: 0 });
  return lines.join('|');
}

const outputs: Readonly<Record<string, (text: string) => string>> = {
  'the message of an error': (text) => new AmandaError('BAD_REPLY', text).message,
  'JSON of the command line': (text) => printableJson({ [text]: text }),
  'the log of rx-amandad': logged,
  'a diagram as text': (text) => toText(drawn(text)).replaceAll('\n', ''),
  'a diagram as SVG': (text) => toSvg(drawn(text)).replaceAll('\n', ''),
  'the page of the tap': visible,
};
/** Layout that these outputs keep: of lines in a file of their own, and in a payload. */
const kept: Readonly<Record<string, string>> = {
  'a diagram as text': '\n',
  'a diagram as SVG': '\t\n\r',
  'the page of the tap': '\t\n',
};

test.each(Object.keys(outputs))('%s shows no character that a terminal obeys', (name) => {
  expect(outputs[name]?.('aXb')).toContain('aXb');
  const raw = hostile.filter(
    (one) =>
      !(kept[name] ?? '').includes(one) &&
      outputs[name]?.(`a${one}b`).includes(`a${one}b`) === true,
  );
  expect(raw.map((one) => one.codePointAt(0)?.toString(16))).toEqual([]);
  expect(hostile.length).toBeGreaterThan(230);
});
