import type { ObservableInput } from 'rxjs';
import type { FindingKind } from './finding-kinds.js';

/** What a check is about. */
export type CheckGroup =
  | 'configuration'
  | 'names'
  | 'privileges'
  | 'reachability'
  | 'identity'
  | 'tls'
  | 'ssh'
  | 'request'
  | 'capabilities'
  | 'disk'
  | 'way-back'
  | 'local';

/** `failed` prevents a backup, or the answer to a later check; `warning` does not. */
export type CheckStatus = 'ok' | 'warning' | 'failed' | 'skipped';

/** The result of one check. */
export interface Check {
  /** The check: `GROUP.NAME`, one of {@link checkOrder}. */
  readonly id: string;
  /** What it is about. */
  readonly group: CheckGroup;
  /** How it ended. */
  readonly status: CheckStatus;
  /** One sentence; printable. */
  readonly message: string;
  /** What was seen, a line each; printable. */
  readonly evidence: readonly string[];
  /** What to do; absent when there is nothing to do. */
  readonly fix?: string;
  /** The kind of finding in docs/doctor.md; absent when there is no finding. */
  readonly doc?: string;
  /** Milliseconds that the check took. */
  readonly ms: number;
  /** The id of the failed check; present exactly when the status is `skipped`. */
  readonly skippedBy?: string;
}

/** What a check found. */
export interface CheckOutcome {
  /** How it ended. */
  readonly status: Exclude<CheckStatus, 'skipped'>;
  /** One sentence. */
  readonly message: string;
  /** What was seen, a line each; default none. */
  readonly evidence?: readonly string[];
  /** What to do; absent when there is nothing to do. */
  readonly fix?: string;
  /** The kind of finding; absent when there is none. */
  readonly kind?: FindingKind;
}

/** A small unit of diagnosis. */
export interface CheckUnit {
  /** `GROUP.NAME`. */
  readonly id: string;
  readonly group: CheckGroup;
  /** The ids of the checks without which this one has no meaning. */
  readonly needs: readonly string[];
  /** Emits one outcome, the last value counts. */
  run(): ObservableInput<CheckOutcome>;
}

/** All is well. */
export function fine(message: string, evidence: readonly string[] = []): CheckOutcome {
  return { status: 'ok', message, evidence };
}

/** The parts of a finding. */
export interface FindingParts {
  readonly message: string;
  readonly fix: string;
  readonly evidence?: readonly string[];
}

/** A finding that prevents a backup. */
export function fault(kind: FindingKind, parts: FindingParts): CheckOutcome {
  return { status: 'failed', kind, ...parts };
}

/** A finding that does not prevent a backup today. */
export function concern(kind: FindingKind, parts: FindingParts): CheckOutcome {
  return { status: 'warning', kind, ...parts };
}
