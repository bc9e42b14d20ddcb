/** `bare-app/` in the embedded host, as load.ts wants its servers. */
process.chdir(new URL('./bare-app', import.meta.url).pathname);
await import('./app-process.ts');
