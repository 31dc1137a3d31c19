import {
  AsyncSubject,
  asyncScheduler,
  defer,
  share,
  tap,
  type Observable,
  type ObservableInput,
} from 'rxjs';
import type { NameResolver } from './resolver.js';

export interface RememberOptions {
  /** Milliseconds for which an answer holds; default 10,000. */
  readonly within?: number;
  /** Answers that are kept, default 1,000; the oldest goes first. */
  readonly most?: number;
}

interface Answer<T> {
  readonly from: number;
  readonly value: Observable<T>;
}

/**
 * A resolver that asks another one only once in a while, and once for all who ask at the same time. A target that is asked hundreds of times a
 * second would else spend most of its time on the names of the same few hosts. Failures are not remembered.
 */
export function rememberNames(
  resolver: NameResolver,
  { within = 10_000, most = 1_000 }: RememberOptions = {},
): NameResolver {
  const remember = <T>(
    ask: (name: string, family: 0 | 4) => ObservableInput<T>,
  ): ((name: string, family?: 0 | 4) => Observable<T>) => {
    const answers = new Map<string, Answer<T>>();
    return (name, family = 0) => {
      const question = `${family} ${name}`;
      const known = answers.get(question);
      const now = asyncScheduler.now();
      if (known !== undefined && now - known.from < within) return known.value;
      const value = defer(() => ask(name, family)).pipe(
        tap({ error: () => answers.delete(question) }),
        share({ connector: () => new AsyncSubject(), resetOnComplete: false }),
      );
      answers.delete(question);
      answers.set(question, { from: now, value });
      const [oldest] = answers.keys();
      if (answers.size > most && oldest !== undefined) answers.delete(oldest);
      return value;
    };
  };
  return {
    nameOf: remember((address) => resolver.nameOf(address)),
    addressesOf: remember((name, family) => resolver.addressesOf(name, family)),
    canonicalOf: remember((name, family) => resolver.canonicalOf(name, family)),
  };
}
