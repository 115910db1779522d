/** Somebody with an account at one provider. */
export interface Person {
  /** The provider's own id, which never goes to another person. */
  readonly id: string
  /** May change, and may later be somebody else's. */
  readonly email: string
  readonly name: string
  /** The Workspace domain (Google) or the tenant's id (Microsoft); none for a private account. */
  readonly organization?: string
  /** What its customer was first called: a domain that is renamed stays with its customer. The organization unless given. */
  readonly customer?: string
  /** True for an administrator of the organization. */
  readonly isAdmin?: boolean
  readonly isSuspended?: boolean
  /** Further addresses that lead to the account. */
  readonly aliases?: readonly string[]
}

/** The accounts of one provider. */
export interface People {
  /** Throws when the id is taken, or the address is somebody else's. */
  add(person: Person): Person
  /** Replaces some facts. Throws when nobody has this id, or a new address is somebody else's. */
  change(id: string, facts: Partial<Omit<Person, 'id'>>): Person
  byId(id: string): Person | undefined
  /** By id, address or alias. */
  find(key: string): Person | undefined
  all(): readonly Person[]
}

/** No accounts yet. */
export function createPeople(): People {
  const people = new Map<string, Person>()

  function addressesOf({ email, aliases = [] }: Person): readonly string[] {
    return [email, ...aliases].map((address) => address.toLowerCase())
  }

  function keep(person: Person): Person {
    for (const other of people.values())
      if (other.id !== person.id && addressesOf(person).some((a) => addressesOf(other).includes(a)))
        throw new Error('the address is somebody else’s')
    people.set(person.id, person)
    return person
  }

  return {
    add(person) {
      if (people.has(person.id)) throw new Error('the id is taken')
      return keep(person)
    },
    change(id, facts) {
      const person = people.get(id)
      if (person === undefined) throw new Error('nobody has this id')
      return keep({ ...person, ...facts, id })
    },
    byId: (id) => people.get(id),
    find: (key) =>
      people.get(key) ??
      [...people.values()].find((person) => addressesOf(person).includes(key.toLowerCase())),
    all: () => [...people.values()],
  }
}
