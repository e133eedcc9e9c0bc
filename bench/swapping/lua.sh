exec lua5.4 /home/dictionary.lua
