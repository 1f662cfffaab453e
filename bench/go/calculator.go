// Arithmetic in text: split it into tokens character by character, then evaluate by recursive descent.
package main

import (
	"fmt"
	"strconv"
)

const ROUNDS = 100000

func isDigit(c byte) bool {
	return c >= '0' && c <= '9'
}

func tokensOf(text string) []string {
	tokens := []string{}
	for i := 0; i < len(text); {
		c := text[i]
		if c == ' ' {
			i++
		} else if isDigit(c) {
			start := i
			for i < len(text) && isDigit(text[i]) {
				i++
			}
			tokens = append(tokens, text[start:i])
		} else {
			tokens = append(tokens, string(c))
			i++
		}
	}
	return tokens
}

type Parser struct {
	tokens []string
	place  int
}

func (p *Parser) at(token string) bool {
	return p.place < len(p.tokens) && p.tokens[p.place] == token
}

func (p *Parser) atom() int {
	token := p.tokens[p.place]
	p.place++
	if token == "(" {
		value := p.expression()
		p.place++
		return value
	}
	if token == "-" {
		return -p.atom()
	}
	value, _ := strconv.Atoi(token)
	return value
}

func (p *Parser) term() int {
	value := p.atom()
	for p.at("*") || p.at("/") {
		operator := p.tokens[p.place]
		p.place++
		right := p.atom()
		if operator == "*" {
			value *= right
		} else {
			value /= right
		}
	}
	return value
}

func (p *Parser) expression() int {
	value := p.term()
	for p.at("+") || p.at("-") {
		operator := p.tokens[p.place]
		p.place++
		right := p.term()
		if operator == "+" {
			value += right
		} else {
			value -= right
		}
	}
	return value
}

func main() {
	total := 0
	for i := 0; i < ROUNDS; i++ {
		a := strconv.Itoa(i)
		text := "(" + a + " + 3) * 17 - " + a + " / (2 + 5) + -(8 * (" + a + " - 100))"
		parser := Parser{tokens: tokensOf(text)}
		total = (total + parser.expression()) % 1000000007
	}
	fmt.Println(total)
}
