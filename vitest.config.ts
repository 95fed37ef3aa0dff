import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["packages/*/src/**/*.test.ts", "test/**/*.test.ts"],
    setupFiles: ["./test/guard/setup.ts", "./test/contract/setup.ts"],
    // One process per test file: the guard, nock and LangChain's global registries change process-wide state.
    pool: "forks",
    // Most files wait for processes and servers of their own: two at a time, also where vitest would keep a core free.
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 30_000,
    unstubEnvs: true,
    restoreMocks: true,
  },
});
