const MEBIBYTE = 1_048_576;

/** `1.5 MiB`. */
export function formatMebibytes(bytes: number): string {
  return `${(bytes / MEBIBYTE).toFixed(1)} MiB`;
}
