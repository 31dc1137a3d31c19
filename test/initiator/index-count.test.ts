import fc from 'fast-check';
import { expect, test } from 'vitest';
import { IndexCount } from '../../src/initiator/index-count.js';

test('an index cut anywhere has the same number of files and directories', () => {
  const index = Buffer.from('/\n/b/\n/one.txt\n/b/two.txt\n\n/last/');
  fc.assert(
    fc.property(fc.array(fc.nat(index.length)), (cuts) => {
      const count = new IndexCount();
      const places = [0, ...cuts.sort((one, other) => one - other), index.length];
      places.slice(1).forEach((end, at) => {
        count.push(index.subarray(places[at], end));
      });
      count.finish();
      expect([count.files, count.directories]).toEqual([2, 3]);
    }),
  );
});
