import { setTimeout as wait } from 'node:timers/promises';
import { ReplaySubject, takeUntil } from 'rxjs';
import type { Driver } from '../../drivers/driver.js';
import type {
  Behaviours,
  ComplianceLimits,
  CompliancePeers,
  Subject,
} from './compliance-behaviour.js';
import { closing } from './compliance-closing.js';
import { connecting, missing } from './compliance-connecting.js';
import { exchanging } from './compliance-exchange.js';
import { losing } from './compliance-loss.js';
import { streaming } from './compliance-streams.js';
import { belongings, nothingLeftBehind } from './left-behind.js';

/** A driver that reaches a target which serves `complianceServices`, and how to end that target. */
export interface ComplianceSetup {
  readonly driver: Driver;
  readonly stop: () => void | Promise<void>;
  /**
   * Breaks the channel of every connection that is open, as the loss of a network or of the other host does; the target serves those
   * that come after. Without it the behaviours on loss are skipped.
   */
  readonly cut?: () => void;
  /** A driver of the same kind to where there is no target. Without it the behaviour about that is skipped. */
  readonly nowhere?: Driver;
  readonly limits?: ComplianceLimits;
  readonly peers?: CompliancePeers;
}

export interface ComplianceOptions {
  /** Milliseconds that one behaviour may take, and again those that may pass until nothing is left behind it. Default 30,000. */
  readonly within?: number;
}

/** What a runner hands to a test: vitest's and node:test's contexts are such. */
export interface ComplianceRunner {
  /** Marks the test as skipped. It may throw. */
  skip(reason: string): void;
}

export interface ComplianceTest {
  /** A sentence that says the behaviour. */
  readonly name: string;
  /** Rejects when the driver behaves otherwise. Without a runner a behaviour that the setup does not allow for passes untried. */
  readonly run: (runner?: ComplianceRunner) => Promise<void>;
}

/**
 * What every driver must do, as tests for any runner: they run one after the other, never at once. Each test calls `setup` for a fresh
 * target, stops it at its end, and fails when the process then has a socket, timer or child process more than before.
 *
 *     for (const { name, run } of driverCompliance(setup)) test(name, run);
 */
export function driverCompliance(
  setup: () => ComplianceSetup | Promise<ComplianceSetup>,
  { within = 30_000 }: ComplianceOptions = {},
): readonly ComplianceTest[] {
  const tests = (behaviours: Behaviours, needed?: keyof typeof untold): readonly ComplianceTest[] =>
    Object.entries(behaviours).map(([name, behaviour]) => ({
      name,
      run: async (runner) => {
        const before = belongings();
        const made = await setup();
        if (needed !== undefined && made[needed] === undefined) {
          await made.stop();
          runner?.skip(untold[needed]);
          return;
        }
        await tryOn(made, behaviour, within);
        await nothingLeftBehind(before, within);
      },
    }));
  const always = [connecting, exchanging, streaming, closing].flatMap((behaviours) =>
    tests(behaviours),
  );
  return [...always, ...tests(missing, 'nowhere'), ...tests(losing, 'cut')];
}

/** Why a behaviour is skipped, by what a setup need not have. */
const untold = {
  cut: 'the setup has no cut(), which breaks the channel',
  nowhere: 'the setup has no nowhere, a driver to where there is no target',
} as const;

/** Tries a behaviour and stops the target, whatever comes of it. What a failed one has left open is ended, and so is what it goes on to open. */
async function tryOn(
  { driver, stop, limits = {}, peers = {}, cut, nowhere }: ComplianceSetup,
  behaviour: Behaviours[string],
  within: number,
): Promise<void> {
  const failed = new ReplaySubject<void>(1);
  const ending: Driver = {
    ...driver,
    open: (options) => driver.open(options).pipe(takeUntil(failed)),
  };
  const subject: Subject = { driver: ending, nowhere, limits, peers, cut: () => cut?.() };
  try {
    await inTime(behaviour(subject), within);
  } catch (error) {
    failed.next();
    throw error;
  } finally {
    await stop();
  }
}

/** Rejects when something takes too long, which may be for ever. */
async function inTime(trying: Promise<void>, within: number): Promise<void> {
  const limit = new AbortController();
  const late = wait(within, undefined, { signal: limit.signal }).then(
    () => {
      throw new Error(`this has not come to an end within ${within / 1000} s`);
    },
    () => undefined,
  );
  await Promise.race([trying.finally(() => limit.abort()), late]);
}
