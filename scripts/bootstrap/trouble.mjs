/** What stops the bootstrap and what a person can do about it; printed without a stack trace. */
export class Trouble extends Error {
  constructor(message, remedy) {
    super(message);
    this.remedy = remedy;
  }
}

/** A fault of the file system in a person's words, or the error itself where it is none of these. */
export function explainFileFault(error, directory) {
  switch (error.code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new Trouble(
        `There is no space left on the disk that holds ${directory}.`,
        'Free about 1 GB there (or clear npm\'s cache: npm cache clean --force), then run the same command again.',
      );
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new Trouble(
        `This user may not write to ${error.path ?? directory}.`,
        `Make ${directory} (and npm's cache, see: npm config get cache) belong to you, or clone into a directory of your own.`,
      );
    default:
      return error;
  }
}
