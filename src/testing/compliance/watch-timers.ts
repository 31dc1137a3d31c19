import { asyncScheduler, type SchedulerAction, type Subscription } from 'rxjs';

/**
 * Runs a function that can ask how many of the RxJS timers set since its start are still set.
 *
 * A forgotten timer does not show in results, but it keeps the process alive.
 */
export function watchTimers<T>(run: (pending: () => number) => T): T {
  const timers: Subscription[] = [];
  const schedule = asyncScheduler.schedule.bind(asyncScheduler);
  asyncScheduler.schedule = <S>(
    work: (this: SchedulerAction<S>, state?: S) => void,
    delay?: number,
    state?: S,
  ) => {
    const timer = schedule(
      work as (this: SchedulerAction<unknown>, state?: unknown) => void,
      delay,
      state,
    );
    timers.push(timer);
    return timer;
  };
  try {
    return run(() => timers.filter(({ closed }) => !closed).length);
  } finally {
    Reflect.deleteProperty(asyncScheduler, 'schedule');
  }
}
