interface Exception {
  /** From the root of the repository. */
  file: string;
  /** Names of tests, each of which has to be off contract; left out, any of the file may be. */
  test?: RegExp;
  reason: string;
}

const unknownFields = "a field that nobody knows is passed on as it is";

/** Tests in which our packages send what the service does not describe, on purpose. */
export const offContract: readonly Exception[] = [
  { file: "packages/chat/src/chat-siliconflow.test.ts", test: /^has the constructor's options/, reason: unknownFields },
  { file: "packages/chat/src/siliconflow.test.ts", test: /^options of the constructor/, reason: unknownFields },
  { file: "packages/client/src/resources/completions.test.ts", test: /^sends what it is given/, reason: unknownFields },
  { file: "packages/client/src/resources/messages.test.ts", test: /^sends what it is given/, reason: unknownFields },
  { file: "packages/client/src/resources/media.test.ts", test: /^sends what it is given/, reason: unknownFields },
  { file: "packages/client/src/resources/media.test.ts", test: /^are listed by purpose/, reason: "another purpose" },
  { file: "packages/client/src/resources/speech.test.ts", test: /^is the whole sound with/, reason: unknownFields },
  { file: "packages/client/src/uploads.test.ts", test: /^cannot leave their place/, reason: unknownFields },
  { file: "test/batch/via-batch.test.ts", test: /^sends what invoke sends/, reason: unknownFields },
  { file: "test/security/redirects.test.ts", reason: "a redirect is followed to a path that is no endpoint" },
  { file: "test/security/secrets.test.ts", reason: "a redirect leads to paths that hold secrets in many spellings" },
  { file: "test/contract/recorder.test.ts", reason: "shows that it is seen" },
];
