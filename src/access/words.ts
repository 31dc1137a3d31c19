/**
 * The words of a line, parted by blanks and tabs and by nothing else: a CR, a comma or a `#` is part of its word. Without a pattern, which V8 takes longer to make
 * than a short file takes to part.
 */
export function wordsOf(line: string): string[] {
  return line
    .replaceAll('\t', ' ')
    .split(' ')
    .filter((word) => word !== '');
}
