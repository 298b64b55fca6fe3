import * as React from 'react';
import type { DataSource } from '../datasource.ts';
import type { Definition } from '../types.ts';

export interface Known {
  /** Undefined until they are listed. */
  definitions?: Definition[];
  error?: string;
}

/** useDefinitions lists the KPIs of the service for an editor. */
export function useDefinitions(datasource: DataSource): Known {
  const [known, setKnown] = React.useState<Known>({});
  React.useEffect(() => {
    let gone = false;
    const learn = (found: Known) => {
      if (!gone) setKnown(found);
    };
    datasource.definitions().then(
      (definitions) => learn({ definitions }),
      (error: unknown) => learn({ error: messageOf(error) }),
    );
    return () => {
      gone = true;
    };
  }, [datasource]);
  return known;
}

/** messageOf is what went wrong, in the words of whoever knows most of it. */
function messageOf(error: unknown): string {
  const { data, message, statusText } = (error ?? {}) as {
    data?: { error?: string; message?: string };
    message?: string;
    statusText?: string;
  };
  return data?.error ?? data?.message ?? message ?? statusText ?? String(error);
}
