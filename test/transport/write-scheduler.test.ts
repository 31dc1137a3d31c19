import { describe, expect, it } from 'vitest';
import { WriteScheduler } from '../../src/transport/write-scheduler.js';

/** WriteScheduler of a loop that runs when told to, at a time that passes when told to. */
function loop() {
  let time = 0;
  let callbacks: (() => void)[] = [];
  const sent: string[] = [];
  const turns = new WriteScheduler({
    now: () => time,
    nextTurn: (callback) => callbacks.push(callback),
  });
  return {
    sent,
    send: (...names: string[]) => {
      for (const name of names) turns.add(() => sent.push(name));
    },
    add: turns.add,
    turn: (milliseconds = 0) => {
      time += milliseconds;
      const due = callbacks;
      callbacks = [];
      for (const callback of due) callback();
      return due.length;
    },
  };
}

describe('WriteScheduler', () => {
  it('sends when a turn has passed in which nothing was added', () => {
    const { send, turn, sent } = loop();
    send('a', 'b');
    turn();
    expect(sent).toEqual([]);
    send('c');
    turn();
    expect(sent).toEqual([]);
    turn();
    expect(sent).toEqual(['a', 'b', 'c']);
  });

  it('sends after a millisecond where every turn adds something', () => {
    const { send, turn, sent } = loop();
    for (let at = 0; at < 4; at += 1) {
      send(`${at}`);
      turn(0.25);
    }
    expect(sent).toEqual(['0', '1', '2', '3']);
  });

  it('sends at the end of a turn that has taken longer than that', () => {
    const { send, turn, sent } = loop();
    send('a');
    turn(5);
    expect(sent).toEqual(['a']);
  });

  it('has what is added while it sends wait for its own turn', () => {
    const { add, turn, sent } = loop();
    add(() => {
      sent.push('a');
      add(() => sent.push('b'));
    });
    turn();
    turn();
    expect(sent).toEqual(['a']);
    turn();
    turn();
    expect(sent).toEqual(['a', 'b']);
  });

  it('leaves the loop alone when nothing waits', () => {
    const { send, turn, sent } = loop();
    send('a');
    expect([turn(), turn(), turn()]).toEqual([1, 1, 0]);
    send('b');
    expect([turn(), turn(), turn()]).toEqual([1, 1, 0]);
    expect(sent).toEqual(['a', 'b']);
  });
});
