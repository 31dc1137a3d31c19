/** What both TLS peers use: the same certificates and the same cipher. */

/** A folder as `sslDir` takes it; undefined for a bench without TLS. */
export const SSL_DIR = process.env.BENCH_SSL_DIR;
export const CIPHER = 'TLS_AES_256_GCM_SHA384';
