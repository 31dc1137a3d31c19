import { describe, expect, test } from 'vitest';
import { Crowd } from '../../src/drivers/crowd.js';

/** A crowd of those who came in this order, each `name@address`, or `name!@address` for one that may not go. */
function crowd(...members: readonly string[]): Crowd<string> {
  const made = new Crowd<string>();
  for (const member of members) add(made, member);
  return made;
}

function add(to: Crowd<string>, member: string): void {
  const [name = '', address] = member.split('@');
  to.add(name, address, () => !name.endsWith('!'));
}

/** Who goes, one after another, until nobody may. */
function allChosen(from: Crowd<string>): string[] {
  const gone: string[] = [];
  for (let chosen = from.chosen(); chosen !== undefined; chosen = from.chosen()) {
    from.delete(chosen);
    gone.push(chosen);
  }
  return gone;
}

describe('of a crowd', () => {
  test('the first goes where all come from one address, or none has any', () => {
    expect(allChosen(crowd('a@192.0.2.1', 'b@192.0.2.1', 'c@192.0.2.1'))).toEqual(['a', 'b', 'c']);
    expect(allChosen(crowd('a', 'b', 'c'))).toEqual(['a', 'b', 'c']);
  });

  test('those go first that are from where most come', () => {
    expect(
      allChosen(crowd('a@192.0.2.1', 'x@192.0.2.9', 'b@192.0.2.2', 'y@192.0.2.9', 'z@192.0.2.9')),
    ).toEqual(['x', 'y', 'a', 'b', 'z']);
  });

  test('one that may not go is passed over, and counts', () => {
    expect(allChosen(crowd('a@192.0.2.1', 'x!@192.0.2.9', 'y@192.0.2.9'))).toEqual(['y', 'a']);
  });

  test('what has left does not count', () => {
    const left = crowd('a@192.0.2.1', 'x@192.0.2.9', 'y@192.0.2.9');
    left.delete('y');
    left.delete('y');
    left.delete('nobody');
    expect(left.size).toBe(2);
    expect(left.chosen()).toBe('a');
  });

  test.each([
    ['2001:db8::1', '2001:db8::2', true],
    ['2001:db8::1', '2001:db8:0:0:1::2', true],
    ['2001:db8::1', '2001:db8:0:1::1', false],
    ['2001::1:2:3:4:5', '2001:0:0:1::1', true],
    ['::1', '::2', true],
    ['::1', '1::', false],
    ['fe80::1%eth0', 'fe80::2%eth0', true],
    ['::ffff:192.0.2.1', '::ffff:192.0.2.2', false],
    ['::ffff:192.0.2.1', '::ffff:192.0.2.1', true],
    ['192.0.2.1', '192.0.2.2', false],
    // No addresses at all: they are told apart like others.
    ['not:an:address', '::::::', false],
  ])('%s and %s are of one network: %s', (one, other, isOne) => {
    // `x` and `y` are the most where they are of one network; where they are not, there is one of each, and the first goes.
    expect(crowd('a@198.51.100.1', `x@${one}`, `y@${other}`).chosen()).toBe(isOne ? 'x' : 'a');
  });

  test('only the first that may go are looked at', () => {
    let asked = 0;
    const many = new Crowd<number>();
    for (let member = 0; member < 20_000; member += 1) {
      many.add(member, `192.0.2.${member % 2}`, () => {
        asked += 1;
        return true;
      });
    }
    expect(many.chosen()).toBe(0);
    expect(asked).toBe(32);
  });
});
