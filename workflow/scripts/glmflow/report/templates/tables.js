  /** A table's rows as objects. */
  const rows = (table) => {
    const columns = Object.entries(table.columns).map(([name, { values, levels, codes }]) => [name, values ?? codes.map((code) => levels[code])]);
    return Array.from({ length: table.rows }, (_, i) => Object.fromEntries(columns.map(([name, values]) => [name, values[i]])));
  };
