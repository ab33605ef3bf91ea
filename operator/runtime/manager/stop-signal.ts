// From the signals of the operating system to an AbortSignal.

/**
 * Aborts at the first SIGTERM or SIGINT; a second one ends the process at once with code 1 (as controller-runtime's
 * SetupSignalHandler does), for a person who does not want to wait.
 */
export const stopSignal = (): AbortSignal => {
  const controller = new AbortController();
  const onSignal = (name: NodeJS.Signals) => {
    if (controller.signal.aborted) process.exit(1);
    controller.abort(new Error(`received ${name}`));
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  return controller.signal;
};
