import { describe, expect, test } from 'vitest';
import { ContainerfileError, expandWord, parseContainerfile, wordText } from './containerfile.ts';

const parse = (text: string) => parseContainerfile(text, 'x/Containerfile');

describe('parseContainerfile', () => {
  test('reads every supported instruction', () => {
    const kinds = parse(`
# a comment
ARG TAG=24
FROM docker.io/library/node:\${TAG}
ENV A=1 B="two words"
LABEL title=x
COPY --chown=1000:1000 a b /c/
WORKDIR /c
USER 1000
EXPOSE 80 53/udp
VOLUME ["/data"]
STOPSIGNAL SIGINT
ENTRYPOINT ["a", "b"]
CMD ["c"]`).map((instruction) => instruction.kind);
    expect(kinds).toEqual([
      'ARG',
      'FROM',
      'ENV',
      'LABEL',
      'COPY',
      'WORKDIR',
      'USER',
      'EXPOSE',
      'VOLUME',
      'STOPSIGNAL',
      'ENTRYPOINT',
      'CMD',
    ]); // prettier-ignore
  });

  test('joins continued lines over comments and blank lines, and counts lines from where they start', () => {
    const [, env] = parse('FROM scratch\n\nENV A=1 \\\n  # why B\n\n  B=2\n');
    expect(env).toMatchObject({ kind: 'ENV', line: 3 });
    expect(env?.kind === 'ENV' && env.pairs.map(([key, value]) => `${key}:${wordText(value)}`)).toEqual(['A:1', 'B:2']);
  });

  test.each([
    ['FROM scratch\nRUN make', 2, 'RUN is not supported'],
    ['FROM scratch\n\n\nADD a b', 4, 'ADD is not supported'],
    ['FROM scratch\nHEALTHCHECK NONE', 2, 'HEALTHCHECK is not supported'],
    ['COPY a b\nFROM scratch', 1, 'the first instruction must be FROM'],
    ['', 1, 'the first instruction must be FROM'],
    ['FROM scratch\nFROM scratch', 2, 'second FROM'],
    ['FROM scratch AS build', 1, 'FROM takes one image reference'],
    ['FROM --platform=linux/arm64 scratch', 1, 'FROM options'],
    ['FROM scratch\nCOPY --from=build a b', 2, 'COPY option --from is not supported'],
    ['FROM scratch\nCOPY a', 2, 'at least one source and a destination'],
    ['FROM scratch\nCOPY *.js /app/', 2, 'wildcards are not supported'],
    ['FROM scratch\nENV A 1', 2, 'key=value'],
    ['FROM scratch\nENTRYPOINT node main.js', 2, 'JSON array'],
    ['FROM scratch\nCMD [1]', 2, 'JSON array'],
    ['FROM scratch\nCMD []', 2, 'JSON array'],
    ['FROM scratch\nUSER', 2, 'USER has no arguments'],
    ['FROM scratch\nUSER a b', 2, 'exactly one argument'],
    ['FROM scratch\nENV A="x', 2, 'quote is not closed'],
    ['FROM scratch\nARG 1A=x', 2, 'letters, digits and underscores'],
  ])('refuses %j at line %i', (text, line, message) => {
    const attempt = (): unknown => parse(text);
    expect(attempt).toThrow(ContainerfileError);
    expect(attempt).toThrow(message);
    expect(attempt).toThrow(`x/Containerfile:${line}: `);
  });
});

describe('expandWord', () => {
  const variables = new Map([
    ['A', 'one'],
    ['EMPTY', ''],
  ]);
  test.each([
    ['$A', 'one'],
    ['x${A}y', 'xoney'],
    ['$A$A', 'oneone'],
    ['${NONE}', ''],
    ['${NONE:-other}', 'other'],
    ['${EMPTY:-other}', 'other'],
    ['${A:-other}', 'one'],
    ['${A:+set}', 'set'],
    ['${EMPTY:+set}', ''],
    ['"$A b"', 'one b'],
    ["'$A'", '$A'],
    [String.raw`\$A`, '$A'],
    [String.raw`"a\"b"`, 'a"b'],
    ['100$', '100$'],
  ])('%s gives %s', (written, expected) => {
    const [, env] = parse(`FROM scratch\nENV K=${written}`);
    if (env?.kind !== 'ENV') throw new Error('no ENV');
    expect(expandWord(env.pairs[0]![1], variables)).toBe(expected);
  });
});
