import { EventEmitter } from 'node:events';
import { map, timer } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { describe, expect, it } from 'vitest';
import { untilUnused } from '../../src/transport/until-unused.js';

type Helpers = Parameters<Parameters<TestScheduler['run']>[0]>[0];

/** A letter is a socket that is open for so many milliseconds. */
const openFor: Readonly<Record<string, number>> = { a: 1, b: 5, c: 20 };

function marbles(
  run: (helpers: Helpers, sockets: (picture: string) => ReturnType<typeof open>) => void,
): void {
  new TestScheduler((actual, expected) => {
    expect(actual).toEqual(expected);
  }).run((helpers) => {
    run(helpers, (picture) => open(helpers, picture));
  });
}

function open({ hot }: Helpers, picture: string) {
  return hot(picture).pipe(
    map((letter) => {
      const socket = Object.assign(new EventEmitter(), { letter });
      timer(openFor[letter] ?? 0).subscribe(() => socket.emit('close'));
      return socket;
    }),
    untilUnused(10),
    map(({ letter }) => letter),
  );
}

describe('untilUnused', () => {
  it('completes when no socket has come', () => {
    marbles(({ expectObservable }, sockets) => {
      expectObservable(sockets('------------a')).toBe('----------|');
    });
  });

  it('counts from the close of the last socket that was open', () => {
    marbles(({ expectObservable }, sockets) => {
      expectObservable(sockets('--a------b')).toBe('--a------b 5ms ---------|');
      expectObservable(sockets('--c--a')).toBe('--c--a 16ms ----------|');
    });
  });

  it('completes only between sockets', () => {
    marbles(({ expectObservable }, sockets) => {
      expectObservable(sockets('b 13ms a')).toBe('b 13ms a 10ms |');
      expectObservable(sockets('b 15ms a')).toBe('b 14ms |');
    });
  });

  it('ends with its source', () => {
    marbles(({ expectObservable }, sockets) => {
      expectObservable(sockets('-c-|')).toBe('-c-|');
      expectObservable(sockets('-c-#')).toBe('-c-#');
    });
  });

  it('unsubscribes the source', () => {
    marbles(({ hot, expectSubscriptions }) => {
      const source = hot<EventEmitter>('-');
      source.pipe(untilUnused(3)).subscribe();
      expectSubscriptions(source.subscriptions).toBe('^--!');
    });
  });
});
