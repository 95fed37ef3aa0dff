import { defineConfig, type UserConfig } from "tsdown";

/** One build for every package: ESM, CJS and types side by side, checked as a user's tools will read them. */
export function build(options: UserConfig = {}): UserConfig {
  return defineConfig({
    entry: ["src/index.ts"],
    format: ["esm", "cjs"],
    target: "node22.19",
    platform: "node",
    // One output file per source file, so that a stack trace and a lazy import name the place they come from.
    unbundle: true,
    fixedExtension: false,
    dts: { sourcemap: false },
    sourcemap: true,
    publint: { level: "error" },
    attw: { level: "error", profile: "node16" },
    ...options,
  }) as UserConfig;
}
