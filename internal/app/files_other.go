//go:build !unix

package app

func maxFiles() int { return manyFiles }
