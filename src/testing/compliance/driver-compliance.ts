import { setTimeout as wait } from 'node:timers/promises';
import { ReplaySubject, takeUntil } from 'rxjs';
import type { Driver } from '../../drivers/driver.js';
import type {
  Behaviours,
  ComplianceLimits,
  CompliancePeers,
  ComplianceSubject,
} from './compliance-behaviour.js';
import { closing } from './compliance-closing.js';
import { connecting, missing } from './compliance-connecting.js';
import { exchanging } from './compliance-exchange.js';
import { losing } from './compliance-loss.js';
import { streaming } from './compliance-streams.js';
import { currentResources, noLeaks } from './resource-leaks.js';

/** A driver that reaches a target with the services `complianceServices`, and how to stop it. */
export interface ComplianceSetup {
  /** Reaches the target. */
  readonly driver: Driver;
  /** Ends the target. Called once, after the test. */
  readonly stop: () => void | Promise<void>;
  /**
   * Breaks the channel of every open connection, as the loss of a network does; the target goes on
   * to serve new ones. Optional; without it the behaviours on loss are skipped.
   */
  readonly cut?: () => void;
  /** A driver of the same kind that reaches no target. Optional; without it one case is skipped. */
  readonly nowhere?: Driver;
  /** What the driver cannot do; default nothing. */
  readonly limits?: ComplianceLimits;
  /** What both sides see of each other; default unchecked. */
  readonly peers?: CompliancePeers;
}

/** Options of {@link driverCompliance}. */
export interface ComplianceOptions {
  /** Milliseconds for one behaviour, and again for the release of its resources. Default 30,000. */
  readonly within?: number;
}

/** What a runner passes to a test; the contexts of vitest and node:test are compatible. */
export interface ComplianceRunner {
  /** Marks the test as skipped. It may throw. */
  skip(reason: string): void;
}

/** One behaviour as a test. */
export interface ComplianceTest {
  /** The behaviour, as a sentence. */
  readonly name: string;
  /** Rejects when the driver behaves otherwise. Without a runner, a skipped behaviour passes. */
  readonly run: (runner?: ComplianceRunner) => Promise<void>;
}

/**
 * The behaviour of every driver, as tests for any runner that runs them one by one. Each test calls
 * `setup` for a new target, stops it, and fails when sockets, timers or child processes are left.
 *
 *
 * @example
 * ```ts
 * import { memory, serve } from 'rx-amanda';
 * import { complianceServices, driverCompliance } from 'rx-amanda/testing';
 * import { test } from 'vitest';
 *
 * const suite = driverCompliance(() => {
 *   const { driver, listener } = memory(); // yours
 *   const serving = serve(listener, complianceServices).subscribe();
 *   return { driver, stop: () => serving.unsubscribe() };
 * });
 *
 * for (const { name, run } of suite) test(name, (context) => run(context), 60_000);
 * ```
 */
export function driverCompliance(
  setup: () => ComplianceSetup | Promise<ComplianceSetup>,
  { within = 30_000 }: ComplianceOptions = {},
): readonly ComplianceTest[] {
  const tests = (
    behaviours: Behaviours,
    needed?: keyof typeof SKIP_REASONS,
  ): readonly ComplianceTest[] =>
    Object.entries(behaviours).map(([name, behaviour]) => ({
      name,
      run: async (runner) => {
        const before = currentResources();
        const made = await setup();
        if (needed !== undefined && made[needed] === undefined) {
          await made.stop();
          runner?.skip(SKIP_REASONS[needed]);
          return;
        }
        await tryOn(made, behaviour, within);
        await noLeaks(before, within);
      },
    }));
  const always = [connecting, exchanging, streaming, closing].flatMap((behaviours) =>
    tests(behaviours),
  );
  return [...always, ...tests(missing, 'nowhere'), ...tests(losing, 'cut')];
}

/** Why a behaviour is skipped, by the missing member of the setup. */
const SKIP_REASONS = {
  cut: 'the setup has no cut(), which breaks the channel',
  nowhere: 'the setup has no nowhere, a driver to where there is no target',
} as const;

/**
 * Runs a behaviour and stops the target. A failed one's connections are ended, and later ones too.
 */
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
  const subject: ComplianceSubject = { driver: ending, nowhere, limits, peers, cut: () => cut?.() };
  try {
    await inTime(behaviour(subject), within);
  } catch (error) {
    failed.next();
    throw error;
  } finally {
    await stop();
  }
}

/** Rejects when the promise does not settle in time. */
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
