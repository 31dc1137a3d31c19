import type { Check } from '../../../doctor/check.js';
import { firstToFix } from '../../../doctor/first-to-fix.js';
import { exitCodes } from '../../terminal/exit.js';
import { count, formatTime } from '../../terminal/units.js';

/** The version of the JSON document; a field may be added without a new one. */
const DOCUMENT_VERSION = 1;

const labels = { ok: 'ok', warning: 'WARNING', failed: 'FAILED', skipped: 'skipped' } as const;

/** Columns of the label and of the id. */
const LABEL = 8;
const ID = 24;

/** A check for a person: one line, and more for a finding. Quiet prints findings only. */
export function checkLines(check: Check, quiet: boolean): string[] {
  const { id, status, message, evidence, fix, doc } = check;
  const isFinding = status === 'failed' || status === 'warning';
  if (quiet && !isFinding) return [];
  const text = status === 'skipped' ? message.replace('skipped, ', '') : message;
  const line = `${labels[status].padEnd(LABEL)}${id.padEnd(ID)}${text}`;
  if (!isFinding) return [line];
  const indent = ' '.repeat(LABEL);
  return [
    line,
    ...evidence.map((seen) => `${indent}seen  ${seen}`),
    ...(fix === undefined ? [] : [`${indent}fix   ${fix}`]),
    ...(doc === undefined ? [] : [`${indent}see   ${doc}`]),
  ];
}

/** The end of the report; its last line is the first thing to fix. */
export function lastLines(checks: readonly Check[], ms: number): string[] {
  const first = firstToFix(checks);
  const made = checks.filter(({ status }) => status !== 'skipped').length;
  if (first === undefined)
    return [`Nothing to fix: ${count(made, 'check')}, all well, in ${formatTime(ms)}.`];
  return ['', `First to fix: ${first.id}: ${first.fix ?? first.message}`];
}

/** The report for a program. */
export function doctorDocument(
  checks: readonly Check[],
  examined: { readonly host: string; readonly auth: string | null; readonly ms: number },
): object {
  return {
    version: DOCUMENT_VERSION,
    ...examined,
    exitCode: doctorExitCode(checks),
    first: firstToFix(checks)?.id ?? null,
    checks: checks.map(({ fix = null, doc = null, skippedBy = null, ...check }) => ({
      ...check,
      fix,
      doc,
      skippedBy,
    })),
  };
}

/** The groups whose failure means that no Amanda answered. */
const beforeAnswers: ReadonlySet<Check['group']> = new Set([
  'names',
  'privileges',
  'reachability',
  'identity',
  'tls',
  'ssh',
]);

/** 0 without a failure, 3 when the target was not reached, and else 1. */
export function doctorExitCode(checks: readonly Check[]): number {
  const failures = checks.filter(({ status }) => status === 'failed');
  if (failures.length === 0) return exitCodes.success;
  const answered = checks.some(({ id, status }) => id === 'request.noop' && status !== 'skipped');
  return !answered && failures.some(({ group }) => beforeAnswers.has(group))
    ? exitCodes.noConnection
    : exitCodes.failed;
}
