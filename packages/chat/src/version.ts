/** Put in by the build. */
declare const __PACKAGE_VERSION__: string | undefined;

/** Version of this package, for traces. Sources that were not built have none. */
export const version: string = typeof __PACKAGE_VERSION__ === "string" ? __PACKAGE_VERSION__ : "0.0.0-source";
