SET search_path = torture, public;
ALTER TABLE toasted ALTER body SET STORAGE DEFAULT;
CREATE TABLE sixteen (a text STORAGE MAIN, b int);
INSERT INTO sixteen VALUES ('x', 1);
