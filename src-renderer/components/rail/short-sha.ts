/** The first twelve and the last four hexadecimal digits in fours: "4be1 90c7 2d5f … a07e". */
export const shortSha = (sha: string): string =>
  [sha.slice(0, 4), sha.slice(4, 8), sha.slice(8, 12), '…', sha.slice(-4)].join(' ');
