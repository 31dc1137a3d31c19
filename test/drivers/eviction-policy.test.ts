import { describe, expect, test } from 'vitest';
import { EvictionPolicy } from '../../src/drivers/eviction-policy.js';

/**
 * A policy with these members, oldest first: `name@address`, or `name!@address` if not evictable.
 */
function policy(...members: readonly string[]): EvictionPolicy<string> {
  const made = new EvictionPolicy<string>();
  for (const member of members) add(made, member);
  return made;
}

function add(to: EvictionPolicy<string>, member: string): void {
  const [name = '', address] = member.split('@');
  to.add(name, address, () => !name.endsWith('!'));
}

/** Evicts until no member may be evicted; gives them in order. */
function evictAll(from: EvictionPolicy<string>): string[] {
  const evicted: string[] = [];
  for (let picked = from.pick(); picked !== undefined; picked = from.pick()) {
    from.delete(picked);
    evicted.push(picked);
  }
  return evicted;
}

describe('an eviction policy', () => {
  test('picks the oldest member when all have one address, or none', () => {
    expect(evictAll(policy('a@192.0.2.1', 'b@192.0.2.1', 'c@192.0.2.1'))).toEqual(['a', 'b', 'c']);
    expect(evictAll(policy('a', 'b', 'c'))).toEqual(['a', 'b', 'c']);
  });

  test('picks members of the largest network first', () => {
    expect(
      evictAll(policy('a@192.0.2.1', 'x@192.0.2.9', 'b@192.0.2.2', 'y@192.0.2.9', 'z@192.0.2.9')),
    ).toEqual(['x', 'y', 'a', 'b', 'z']);
  });

  test('passes over a member that may not be evicted, and counts it', () => {
    expect(evictAll(policy('a@192.0.2.1', 'x!@192.0.2.9', 'y@192.0.2.9'))).toEqual(['y', 'a']);
  });

  test('does not count a deleted member', () => {
    const left = policy('a@192.0.2.1', 'x@192.0.2.9', 'y@192.0.2.9');
    left.delete('y');
    left.delete('y');
    left.delete('nobody');
    expect(left.size).toBe(2);
    expect(left.pick()).toBe('a');
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
    // Texts that are no addresses are compared like others.
    ['not:an:address', '::::::', false],
  ])('%s and %s are in one network: %s', (one, other, isOne) => {
    // In one network `x` and `y` are the most; otherwise all are alone, and the oldest is picked.
    expect(policy('a@198.51.100.1', `x@${one}`, `y@${other}`).pick()).toBe(isOne ? 'x' : 'a');
  });

  test('considers the 32 oldest evictable members', () => {
    let asked = 0;
    const many = new EvictionPolicy<number>();
    for (let member = 0; member < 20_000; member += 1) {
      many.add(member, `192.0.2.${member % 2}`, () => {
        asked += 1;
        return true;
      });
    }
    expect(many.pick()).toBe(0);
    expect(asked).toBe(32);
  });
});
