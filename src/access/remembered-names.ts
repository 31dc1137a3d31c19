import { AsyncSubject, defer, share, type Observable, type ObservableInput } from 'rxjs';
import { ExpiringMap } from './expiring-map.js';
import type { NameResolver } from './resolver.js';

export interface RememberOptions {
  /** Milliseconds for which an answer is valid; default 10,000. */
  readonly within?: number;
  /** Answers that are kept, default 1,000; the oldest goes first. */
  readonly most?: number;
}

/**
 * A resolver that remembers the answers of another one, and asks it once for all simultaneous
 * questions. A busy target would otherwise spend most of its time on the names of a few hosts.
 * Failures are not remembered.
 */
export function rememberNames(
  resolver: NameResolver,
  { within = 10_000, most = 1_000 }: RememberOptions = {},
): NameResolver {
  const remember = <T>(
    ask: (name: string, family: 0 | 4) => ObservableInput<T>,
  ): ((name: string, family?: 0 | 4) => Observable<T>) => {
    const answers = new ExpiringMap<Observable<T>>(within, most);
    return (name, family = 0) => {
      const question = `${family} ${name}`;
      const known = answers.get(question);
      if (known !== undefined) return known;
      // After an error the next subscriber asks again.
      const answer = defer(() => ask(name, family)).pipe(
        share({ connector: () => new AsyncSubject(), resetOnComplete: false }),
      );
      answers.set(question, answer);
      return answer;
    };
  };
  return {
    nameOf: remember((address) => resolver.nameOf(address)),
    addressesOf: remember((name, family) => resolver.addressesOf(name, family)),
    canonicalOf: remember((name, family) => resolver.canonicalOf(name, family)),
  };
}
