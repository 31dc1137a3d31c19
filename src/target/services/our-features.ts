import { Features } from '../../wire/features.js';

/**
 * What our own services can do: what Amanda 3.5.1 announces, less
 *
 * - data in shared memory, since our sendbackup has none: a requester on this host would wait there for good;
 * - what our sendbackup refuses: programs other than GNUTAR, compression and encryption on this side,
 *   include lists, scripts, and data that goes somewhere else by itself (DIRECTTCP).
 *
 * So a server that keeps to it says what is wrong when it checks, and not when it dumps.
 * Source: PROTOCOL.md, "Features".
 */
export const ourFeatures: Features = Features.amanda351.without(
  'fe_sendbackup_req_options_data_shm_control_name',
  'fe_program_dump',
  'fe_program_star',
  'fe_program_application_api',
  'fe_options_compress_fast',
  'fe_options_compress_best',
  'fe_options_compress_cust',
  'fe_options_encrypt_cust',
  'fe_options_client_decrypt_option',
  'fe_options_kencrypt',
  'fe_options_include_file',
  'fe_options_include_list',
  'fe_options_multiple_include',
  'fe_options_optional_include',
  'fe_pp_script',
  'fe_xml_directtcp_list',
);
