import { asyncScheduler, type SchedulerAction, type Subscription } from 'rxjs';

/**
 * Plays something and lets it ask how many of the timers that RxJS set meanwhile are still set.
 *
 * A timer that is left behind does not show in what comes out: it keeps a process alive.
 */
export function watchTimers<T>(play: (pending: () => number) => T): T {
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
    return play(() => timers.filter(({ closed }) => !closed).length);
  } finally {
    Reflect.deleteProperty(asyncScheduler, 'schedule');
  }
}
