declare const brand: unique symbol;

/** A `Base` that went through the one function allowed to make a `Name`. */
export type Branded<Base, Name extends string> = Base & { readonly [brand]: Name };
