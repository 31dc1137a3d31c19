import { concatMap, filter, type OperatorFunction } from 'rxjs';
import type { Connection } from '../connection/connection.js';
import { request, type Reply } from '../exchange/request.js';
import { formatDle } from '../wire/dle/dle-format.js';
import type { Dle } from '../wire/dle/dle.js';
import { checkOptions } from '../wire/arguments.js';
import { printable } from '../wire/text.js';
import { optionsFor, type CallOptions } from './call-options.js';
import { badReply } from './reply-errors.js';

/** Options of {@link selfcheck}. */
export interface SelfcheckOptions extends CallOptions {
  /** What to check. */
  readonly dles: readonly Dle[];
}

/** The severities, lowest first; `error` and above are problems. */
export const severities = ['success', 'info', 'message', 'warning', 'error', 'critical'] as const;

/** A result of a selfcheck. */
export interface Finding {
  /** An unknown one counts as `error`. */
  readonly severity: (typeof severities)[number];
  /** The target's sentence. */
  readonly text: string;
  /** Amanda's number for the message; undefined from a target before 3.5. */
  readonly code: number | undefined;
  /** Other fields, such as `disk` and `dirname`; empty from a target before 3.5. */
  readonly details: ReadonlyMap<string, string>;
}

/** Whether a finding prevents a backup. */
export function isProblem({ severity }: Finding): boolean {
  return severity === 'error' || severity === 'critical';
}

/**
 * Asks a target whether it can dump these DLEs, and emits its findings.
 *
 *     source  -C---------|
 *     out     ----(ffff|)      f: a Finding
 *
 * A problem is a value; the check is complete when this completes. Errors with `BAD_REPLY` for
 * malformed messages, with `BAD_DLE`, and as {@link request} does. Source: PROTOCOL.md, "Services".
 *
 * @example
 * ```ts
 * import { bsdtcp, connect, isProblem, selfcheck } from 'rx-amanda';
 * import { filter } from 'rxjs';
 *
 * connect(bsdtcp({ host: 'db1.example.com' }))
 *   .pipe(selfcheck({ dles: [{ program: 'GNUTAR', disk: '/home' }] }), filter(isProblem))
 *   .subscribe(({ text }) => console.error(text));
 * ```
 */
export function selfcheck(options: SelfcheckOptions): OperatorFunction<Connection, Finding> {
  checkOptions('selfcheck', options, { dles: 'list' });
  const { dles, ...call } = options;
  const body = dles.map(formatDle).join('');
  return (connections) =>
    connections.pipe(
      request({ service: 'selfcheck', options: optionsFor(call), body }, call),
      filter(({ kind }) => kind === 'final'),
      concatMap(findingsOf),
    );
}

/** Since 3.5, the text after this line is JSON; before 3.5, each line is one finding. */
const JSON_MARK = 'MESSAGE JSON\n';

function findingsOf(reply: Reply): readonly Finding[] {
  const mark = reply.text.startsWith(JSON_MARK) ? 0 : reply.text.indexOf(`\n${JSON_MARK}`) + 1;
  const isJson = mark > 0 || reply.text.startsWith(JSON_MARK);
  const lines = (isJson ? reply.text.slice(0, mark) : reply.text).split('\n');
  const messages = isJson ? parseMessages(reply.text.slice(mark + JSON_MARK.length), reply) : [];
  return [...lines.flatMap(toFinding), ...messages];
}

function toFinding(line: string): readonly Finding[] {
  const [, word = '', text = ''] = /^([A-Z]+)(?: (.*))?$/.exec(line) ?? [];
  if (line === '' || word === 'OPTIONS') return [];
  if (word === 'OK') return [finding('info', text)];
  return [finding('error', word === 'ERROR' ? text : `unknown answer: ${printable(line)}`)];
}

function finding(severity: Finding['severity'], text: string): Finding {
  return { severity, text, code: undefined, details: new Map() };
}

function parseMessages(text: string, reply: Reply): readonly Finding[] {
  const messages = attempt(() => JSON.parse(`[${text}]`) as unknown);
  if (!Array.isArray(messages)) throw badReply('selfcheck', 'its messages are not JSON', reply);
  return messages.map((message: unknown) => {
    if (typeof message !== 'object' || message === null || Array.isArray(message))
      throw badReply('selfcheck', 'a message in it is no JSON object', reply);
    // Deeply nested JSON can be parsed, but JSON.stringify may throw.
    const fields = attempt(() =>
      Object.entries(message).map(
        ([name, value]) =>
          [name, typeof value === 'string' ? value : JSON.stringify(value)] as const,
      ),
    );
    if (fields === undefined)
      throw badReply('selfcheck', 'a message in it is nested too deeply', reply);
    return fromMessage(new Map(fields));
  });
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function fromMessage(fields: ReadonlyMap<string, string>): Finding {
  const code = Number(fields.get('code') ?? Number.NaN);
  return {
    severity:
      severities.find((severity) => severity === fields.get('severity')?.toLowerCase()) ?? 'error',
    text: fields.get('message') ?? 'a message without text',
    code: Number.isSafeInteger(code) ? code : undefined,
    details: new Map(
      [...fields].filter(([name]) => name !== 'severity' && name !== 'message' && name !== 'code'),
    ),
  };
}
