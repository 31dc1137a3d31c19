import { describe, expect, it } from 'vitest';
import { inheritedOf, openDescriptors } from '../../src/transport/inherited-descriptors.js';

const own = (number: number, target: string) => ({ number, target, isPassedOn: false });
const passedOn = (number: number, target: string) => ({ number, target, isPassedOn: true });

describe('inherited descriptors', () => {
  it('are none in a Node that was started without any', () => {
    // As Node 20, 22 and 24 have them on Linux.
    const nodes = [
      own(3, 'anon_inode:[eventpoll]'),
      own(4, 'pipe:[1]'),
      own(5, 'pipe:[1]'),
      own(8, 'anon_inode:[eventfd]'),
      own(4, 'anon_inode:[io_uring]'),
      own(10, '/dev/null'),
      own(11, '/'),
    ];
    expect(inheritedOf(nodes)).toEqual([]);
  });

  it('are all that are passed on, whatever they are', () => {
    const targets = ['anon_inode:[eventpoll]', '/dev/null', 'pipe:[1]', 'pipe:[1]', 'socket:[2]'];
    expect(inheritedOf(targets.map((target, index) => passedOn(17 + index, target)))).toEqual([
      17, 18, 19, 20, 21,
    ]);
  });

  it('are those that Node never opens, although Node has set O_CLOEXEC', () => {
    const low = [
      own(3, 'pipe:[7]'),
      own(4, 'socket:[8]'),
      own(5, '/etc/shadow'),
      own(6, '/dev/pts/0'),
      own(7, 'anon_inode:[eventpoll]'),
    ];
    expect(inheritedOf(low)).toEqual([3, 4, 5, 6]);
    expect(inheritedOf(low, true)).toEqual([3, 5, 6]);
  });

  it('cannot be listed without /proc', () => {
    expect(openDescriptors('/nonexistent')).toEqual([]);
    // Services would get what cannot be listed.
    expect(() => openDescriptors('/dev/null')).toThrow('ENOTDIR');
  });
});
