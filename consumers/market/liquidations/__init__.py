"""The liquidation map: every liquidation that the stream holds, by time and price, and what was liquidated where."""
