import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isAmandaError } from '../../src/wire/errors.js';
import { featureNames, Features, type FeatureName } from '../../src/wire/features.js';

const sent351 = 'ffffffff9efefbfffffffffffffff3fffbf71f';

describe('Features', () => {
  test('are bits counted from the least significant of the first byte', () => {
    const features = Features.parse('0180');
    expect(features.names()).toEqual(['have_feature_support', 'fe_program_gnutar']);
    expect(features.has(0)).toBe(true);
    expect(features.has(15)).toBe(true);
    expect(features.has(14)).toBe(false);
  });

  test('of 3.5.1 are all names but the nine that it does not set', () => {
    expect(Features.amanda351.toString()).toBe(sent351);
    expect(featureNames.filter((name) => !Features.amanda351.has(name))).toEqual([
      'fe_options_krb4_auth',
      'fe_rep_options_maxdumps',
      'fe_rep_options_hostname',
      'fe_rep_options_sendbackup_options',
      'fe_amidxtaped_nargs',
      'fe_sendsize_message',
      'fe_sendbackup_message',
      'fe_amrecover_data_done',
      'fe_restore_data_done',
    ]);
  });

  test('have the numbers that decide what is sent', () => {
    expect(featureNames.indexOf('fe_partial_estimate')).toBe(52);
    expect(featureNames.indexOf('fe_sendbackup_stream_state')).toBe(117);
    expect(featureNames.indexOf('fe_sendbackup_req_options_data_shm_control_name')).toBe(147);
    expect(featureNames).toHaveLength(149);
  });

  test('that are missing are not set, and an odd digit at the end is dropped', () => {
    expect(Features.parse('ff0').toString()).toBe('ff');
    expect(Features.parse('ff').has(148)).toBe(false);
    expect(Features.parse('f').toString()).toBe('00');
  });

  test('may be written in capitals', () => {
    expect(Features.parse('FFfE').toString()).toBe('fffe');
  });

  test.each(['UNKNOWNFEATURE', '', '00'])('written "%s" are none', (text) => {
    expect(Features.parse(text).names()).toEqual([]);
    expect(Features.parse(text).toString()).toBe('00');
  });

  test.each(['fg', 'ff ff', '0x10', 'g', 'ffé', 'unknownfeature'])(
    'written "%s" are refused as a whole',
    (text) => {
      expect(() => Features.parse(text)).toThrow(expect.objectContaining({ code: 'BAD_FEATURES' }));
    },
  );

  test('without a name are kept', () => {
    const far = `${sent351}0000000080`;
    expect(Features.parse(far).toString()).toBe(far);
    expect(Features.parse(far).without('have_feature_support').has(191)).toBe(true);
  });

  test('after the first 128 bytes are not looked at', () => {
    expect(Features.parse(`${'0f'.repeat(128)}zz`).toString()).toBe('0f'.repeat(128));
  });

  test('are added, taken away and met without changing the set they come from', () => {
    const noShm = Features.amanda351.without('fe_sendbackup_req_options_data_shm_control_name');
    expect(noShm.toString()).toBe('ffffffff9efefbfffffffffffffff3fffbf717');
    expect(noShm.with(147).toString()).toBe(sent351);
    expect(Features.none.with('fe_options_auth', 9).toString()).toBe('0202');
    expect(Features.none.without(1023).toString()).toBe('00');
    expect(Features.parse('0f0f').and(Features.parse('3c')).toString()).toBe('0c');
    expect(Features.amanda351.toString()).toBe(sent351);
  });

  test.each([-1, 1024, 1.5, Number.NaN])('have no number %d', (bit) => {
    expect(() => Features.none.has(bit)).toThrow(
      expect.objectContaining({
        code: 'BAD_ARGUMENT',
        message: `The number of a feature must be a whole number from 0 to 1023, not ${bit}.`,
      }),
    );
  });

  test('have no unknown name', () => {
    expect(() => Features.none.has('fe_novelty' as FeatureName)).toThrow(
      expect.objectContaining({
        code: 'BAD_ARGUMENT',
        message: 'There is no feature "fe_novelty".',
      }),
    );
  });

  test('show their names in JSON and on the console, and the number of a bit without a name', () => {
    const features = Features.none.with('fe_req_xml', 'fe_noop_req', 500);
    expect(JSON.stringify({ features })).toBe('{"features":["fe_noop_req","fe_req_xml",500]}');
    expect(inspect(features)).toBe("Features [ 'fe_noop_req', 'fe_req_xml', 500 ]");
    expect(inspect({ features: Features.none })).toBe('{ features: Features [] }');
    expect(Features.none.with(...features.toJSON()).toString()).toBe(features.toString());
  });

  test('read back as they were written', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 128 }), (bytes) => {
        const hex = Buffer.from(bytes).toString('hex');
        expect(Features.parse(hex).toString()).toBe(hex);
      }),
    );
  });

  test('are read from any text or refused by an AmandaError', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        try {
          Features.parse(text);
        } catch (error) {
          expect(isAmandaError(error, 'BAD_FEATURES')).toBe(true);
        }
      }),
    );
  });
});
