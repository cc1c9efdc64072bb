"""The recipe language: typed models, checks, canonical trees and run keys."""
