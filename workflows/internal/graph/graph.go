// Package graph walks over what leads to what: states, facts, activities.
package graph

// Closure is every node that can be reached along the edges, the roots included.
func Closure[T comparable](edges map[T][]T, roots ...T) map[T]bool {
	seen := map[T]bool{}
	for todo := roots; len(todo) > 0; {
		at := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if seen[at] {
			continue
		}
		seen[at] = true
		todo = append(todo, edges[at]...)
	}
	return seen
}
