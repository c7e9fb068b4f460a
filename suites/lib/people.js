// People who could exist: where they live by how many people live there, a name as is usual there, a birthday.
//
//   const somebody = person(seeded(SEED, __VU));
//   // { given: 'Aarav', family: 'Sharma', name: 'Aarav Sharma', culture: 'indian',
//   //   timeZone: 'Asia/Kolkata', birthday: '1988-02-29', mailbox: 'aarav.sharma' }

const CULTURES = {
  anglo: {
    given: 'Ada Alice Benjamin Charlotte Daniel Emily George Grace Hannah Harry Jack James Joshua Lucy Oliver Olivia Ruby Samuel Sophie Thomas',
    family: 'Baker Brown Campbell Clarke Cooper Davies Edwards Evans Green Hall Harris Hughes Johnson Jones Morgan Roberts Smith Taylor Walker Wilson',
  },
  arabic: {
    given: 'Ahmad Aisha Amina Fatima Hassan Huda Ibrahim Karim Khadija Layla Mahmoud Mariam Mohamed Mustafa Nour Omar Rania Salma Youssef Zainab',
    family: 'Abbas Abdallah Ali Amin Aziz Fahmy Farouk Haddad Hamdan Hussein Ibrahim Khalil Mansour Mustafa Nasser Qasim Rahman Saleh Shaheen Yousef',
  },
  chinese: {
    given: 'Bo Chen Fang Hao Hui Jie Jing Jun Lei Li Min Na Ping Qiang Tao Wei Xin Yan Ying Yong',
    family: 'Chen Deng Feng Guo Han He Hu Huang Li Lin Liu Luo Sun Wang Wu Xu Yang Zhang Zhao Zhou',
    familyFirst: true,
  },
  french: {
    given: 'Amélie Antoine Camille Chloé Clément Élodie Émile François Gabriel Hélène Inès Jules Léa Louis Lucie Mathieu Noémie Pierre René Zoé',
    family: 'Bernard Bertrand Bonnet Chevalier Dubois Durand Fontaine Fournier Garnier Girard Lambert Laurent Lefèvre Leroy Mercier Moreau Petit Richard Rousseau Roux',
  },
  german: {
    given: 'Anna Anton Clara Emil Emma Felix Finn Greta Hannah Jonas Jürgen Käthe Leon Lukas Marie Maximilian Mia Moritz Sören Ursula',
    family: 'Bauer Becker Fischer Hoffmann Huber Klein Koch Krüger Meyer Müller Neumann Richter Schäfer Schmidt Schneider Schröder Schulz Wagner Weber Zimmermann',
  },
  indian: {
    given: 'Aarav Aditi Ananya Arjun Deepa Divya Ishaan Kavya Kiran Lakshmi Meera Neha Priya Rahul Rohan Sanjay Sunita Vihaan Vijay Yash',
    family: 'Agarwal Banerjee Chopra Das Desai Gupta Iyer Joshi Kapoor Khan Kumar Mehta Nair Patel Rao Reddy Sharma Shah Singh Verma',
  },
  iberian: {
    given: 'Ana António Beatriz Carlos Catarina Diego Fernando Inês Isabel João José Juan Lucía Luis María Miguel Pedro Rafael Sofía Tomás',
    family: 'Almeida Álvarez Castro Costa Díaz Fernández Ferreira García Gómez González Hernández López Martínez Oliveira Pérez Ramírez Rodríguez Sánchez Santos Silva',
  },
  japanese: {
    given: 'Aiko Akira Daiki Emi Haruka Haruto Hina Kaito Kenji Mei Misaki Ren Riku Sakura Sho Sota Takumi Yui Yuki Yuto',
    family: 'Abe Hayashi Inoue Ito Kato Kimura Kobayashi Matsumoto Mori Nakamura Saito Sasaki Sato Shimizu Suzuki Takahashi Tanaka Watanabe Yamada Yamamoto',
    familyFirst: true,
  },
  slavic: {
    given: 'Aleksandra Andrei Anna Dmitri Ekaterina Elena Ivan Jakub Katarzyna Marek Maria Mikhail Natalia Nikolai Olga Pavel Petra Tomasz Viktor Zofia',
    family: 'Bondar Dvorak Horvat Ivanko Jankovic Kovac Kovalenko Kowalczyk Kral Lewandowicz Marek Melnyk Nowak Petrov Popov Sokolov Svoboda Volkov Wozniak Zelenko',
  },
  westAfrican: {
    given: 'Abena Ade Adwoa Akosua Ama Babatunde Chidi Chinwe Efua Emeka Folake Ifeoma Kofi Kwame Kwesi Ngozi Obinna Tunde Yaa Yemi',
    family: 'Adeyemi Agyeman Asante Balogun Bello Boateng Danso Eze Mensah Nwosu Obi Ofori Okafor Okeke Okonkwo Okoro Olawale Osei Owusu Sarpong',
  },
};
for (const culture of Object.values(CULTURES)) {
  culture.given = culture.given.split(' ');
  culture.family = culture.family.split(' ');
}

/** Where people live: time zone, millions of people in it (rounded), whose names are usual there. */
export const ZONES = [
  { timeZone: 'Asia/Kolkata', millions: 1430, culture: 'indian' },
  { timeZone: 'Asia/Shanghai', millions: 1410, culture: 'chinese' },
  { timeZone: 'Africa/Lagos', millions: 350, culture: 'westAfrican' },
  { timeZone: 'America/New_York', millions: 160, culture: 'anglo' },
  { timeZone: 'America/Sao_Paulo', millions: 200, culture: 'iberian' },
  { timeZone: 'Europe/Moscow', millions: 100, culture: 'slavic' },
  { timeZone: 'Asia/Tokyo', millions: 124, culture: 'japanese' },
  { timeZone: 'America/Mexico_City', millions: 115, culture: 'iberian' },
  { timeZone: 'Africa/Cairo', millions: 112, culture: 'arabic' },
  { timeZone: 'America/Chicago', millions: 100, culture: 'anglo' },
  { timeZone: 'Europe/Berlin', millions: 84, culture: 'german' },
  { timeZone: 'Europe/Paris', millions: 66, culture: 'french' },
  { timeZone: 'Europe/London', millions: 68, culture: 'anglo' },
  { timeZone: 'America/Los_Angeles', millions: 54, culture: 'anglo' },
  { timeZone: 'America/Bogota', millions: 52, culture: 'iberian' },
  { timeZone: 'Europe/Madrid', millions: 46, culture: 'iberian' },
  { timeZone: 'Asia/Baghdad', millions: 45, culture: 'arabic' },
  { timeZone: 'Europe/Warsaw', millions: 37, culture: 'slavic' },
  { timeZone: 'Africa/Accra', millions: 34, culture: 'westAfrican' },
  { timeZone: 'Asia/Riyadh', millions: 36, culture: 'arabic' },
  { timeZone: 'Australia/Sydney', millions: 22, culture: 'anglo' },
  { timeZone: 'Europe/Lisbon', millions: 10, culture: 'iberian' },
  { timeZone: 'Pacific/Auckland', millions: 5, culture: 'anglo' },
  { timeZone: 'Pacific/Chatham', millions: 0.001, culture: 'anglo' },
];

const ZONE_WEIGHTS = ZONES.map((zone) => zone.millions);
const DAY_MS = 24 * 60 * 60 * 1000;
const OLDEST = Date.UTC(1940, 0, 1);
const YOUNGEST = Date.UTC(2007, 11, 31);

/** Somebody. Of the birthdays one in 1,461 is a 29 February, as in life. */
export function person(random) {
  const { timeZone, culture } = ZONES[random.weighted(ZONE_WEIGHTS)];
  const { given: givenNames, family: familyNames, familyFirst } = CULTURES[culture];
  const given = random.pick(givenNames);
  const family = random.pick(familyNames);
  return {
    given,
    family,
    name: familyFirst ? `${family} ${given}` : `${given} ${family}`,
    culture,
    timeZone,
    birthday: isoDay(OLDEST + DAY_MS * random.int(0, (YOUNGEST - OLDEST) / DAY_MS)),
    mailbox: `${given}.${family}`.normalize('NFD').replace(/[^A-Za-z.]/g, '').toLowerCase(),
  };
}

/** An email address that nobody else has: `unique` makes it so, such as the run and the number of the person in it. */
export function emailOf({ mailbox }, ...unique) {
  return `${mailbox}.${unique.join('.')}@example.com`;
}

function isoDay(ms) {
  return new Date(ms).toISOString().slice(0, 10);
}
