import { EMPTY, Subject, firstValueFrom, of, throwError, type Observable } from 'rxjs';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { rememberNames } from '../../src/access/remembered-names.js';
import type { NameResolver } from '../../src/access/resolver.js';

/** A resolver that notes what it is asked. */
function asked(
  answer: (question: string) => Observable<string | undefined>,
): NameResolver & { readonly questions: string[] } {
  const questions: string[] = [];
  const note = (question: string): Observable<string | undefined> => {
    questions.push(question);
    return answer(question);
  };
  return {
    questions,
    nameOf: (address) => note(`name ${address}`),
    addressesOf: () => EMPTY,
    canonicalOf: (name, family) => note(`canonical ${name} ${family}`),
  };
}

const ask = (resolver: NameResolver, address: string): Promise<string | undefined> =>
  firstValueFrom(resolver.nameOf(address) as Observable<string | undefined>);

describe('rememberNames', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test('asks once in ten seconds, for each question', async () => {
    const source = asked((question) => of(`${question}!`));
    const names = rememberNames(source);
    expect([await ask(names, 'a'), await ask(names, 'a'), await ask(names, 'b')]).toEqual([
      'name a!',
      'name a!',
      'name b!',
    ]);
    vi.advanceTimersByTime(9_999);
    await ask(names, 'a');
    expect(source.questions).toEqual(['name a', 'name b']);
    vi.advanceTimersByTime(1);
    await ask(names, 'a');
    expect(source.questions).toEqual(['name a', 'name b', 'name a']);
  });

  test('tells names by family apart', async () => {
    const source = asked((question) => of(question));
    const names = rememberNames(source);
    for (const family of [0, 4, 0] as const)
      await firstValueFrom(names.canonicalOf('one.lab', family) as Observable<string | undefined>);
    expect(source.questions).toEqual(['canonical one.lab 0', 'canonical one.lab 4']);
  });

  test('asks once for all that ask at the same time, and gives up when none of them waits', () => {
    const answer = new Subject<string>();
    const source = asked(() => answer);
    const names = rememberNames(source);
    const seen: (string | undefined)[] = [];
    const waiting = [1, 2].map(() =>
      (names.nameOf('a') as Observable<string | undefined>).subscribe((name) => seen.push(name)),
    );
    waiting[0]?.unsubscribe();
    expect(answer.observed).toBe(true);
    waiting[1]?.unsubscribe();
    expect(answer.observed).toBe(false);
    expect([source.questions, seen]).toEqual([['name a'], []]);
  });

  test('does not remember failures', async () => {
    const source = asked(() => throwError(() => new Error('no answer')));
    const names = rememberNames(source);
    for (let turn = 0; turn < 2; turn += 1)
      await expect(ask(names, 'a')).rejects.toThrow('no answer');
    expect(source.questions).toHaveLength(2);
  });

  test('keeps no more answers than it is told, and forgets the oldest', async () => {
    const source = asked((question) => of(question));
    const names = rememberNames(source, { most: 2 });
    for (const address of ['a', 'b', 'c', 'b', 'a']) await ask(names, address);
    expect(source.questions).toEqual(['name a', 'name b', 'name c', 'name a']);
  });
});
